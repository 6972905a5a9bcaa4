// The configuration file: YAML, read strictly. A name that is not in the table of fields is refused with its line and the nearest name that is.

package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/sipwerk/sipwerk/internal/spelling"
)

// readYAML sets the fields that the file called path, with the bytes b, speaks of.
func (c *Config) readYAML(path string, b []byte) error {
	r := yamlReader{config: c, file: filepath.Base(path), seen: make(map[string]int)}
	file, err := parser.ParseBytes(b, 0)
	if err != nil {
		return r.syntax(err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if err := r.mapping("", doc.Body); err != nil {
			return err
		}
	}
	return nil
}

// yamlReader walks one file.
type yamlReader struct {
	config *Config
	file   string
	seen   map[string]int // field name → line
}

// at names a line of the file.
func (r *yamlReader) at(line int) string { return fmt.Sprintf("%s line %d", r.file, line) }

// syntax turns an error of the YAML parser into one sentence.
func (r *yamlReader) syntax(err error) error {
	var se yaml.Error
	if errors.As(err, &se) && se.GetToken() != nil {
		return &Error{Where: r.at(se.GetToken().Position.Line), Problem: fmt.Sprintf("this is no YAML: %s; write `name: value`, nested names two blanks deeper", se.GetMessage())}
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return &Error{Where: r.file, Problem: fmt.Sprintf("this is no YAML: %s; write `name: value`, nested names two blanks deeper", first)}
}

// mapping reads the pairs of a mapping whose fields start with prefix.
func (r *yamlReader) mapping(prefix string, n ast.Node) error {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, pair := range n.Values {
			if err := r.pair(prefix, pair); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		return r.pair(prefix, n)
	case *ast.NullNode, *ast.CommentGroupNode:
		return nil
	}
	return &Error{Where: r.at(n.GetToken().Position.Line), Field: strings.TrimSuffix(prefix, "."), Problem: "a value stands where names are expected; write `name: value`"}
}

// pair reads one name and its value: a field, or a group of fields.
func (r *yamlReader) pair(prefix string, pair *ast.MappingValueNode) error {
	key := pair.Key.GetToken()
	name, line := prefix+key.Value, key.Position.Line
	f, ok := r.config.field(name)
	if !ok {
		if r.isGroup(name) {
			return r.mapping(name+".", pair.Value)
		}
		return &Error{Where: r.at(line), Field: name, Problem: "no such field; " + r.nearest(name)}
	}
	if before, twice := r.seen[name]; twice {
		return &Error{Where: r.at(line), Field: name, Problem: fmt.Sprintf("given before in line %d; keep one of them", before)}
	}
	r.seen[name] = line
	v, err := scalar(pair.Value)
	if err != nil {
		return &Error{Where: r.at(line), Field: name, Problem: err.Error()}
	}
	return r.config.set(f, r.at(line), v)
}

// isGroup reports whether name is the first part of a field's name.
func (r *yamlReader) isGroup(name string) bool {
	for _, f := range r.config.Fields() {
		if strings.HasPrefix(f.Name, name+".") {
			return true
		}
	}
	return false
}

// scalar returns the text of a value; the items of a sequence joined by commas.
func scalar(n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", nil
	case *ast.SequenceNode:
		var items []string
		for _, v := range n.Values {
			s, err := scalar(v)
			if err != nil {
				return "", err
			}
			items = append(items, s)
		}
		return strings.Join(items, ","), nil
	}
	return "", fmt.Errorf("a %s is no value here; write a plain value or a list of them", strings.ToLower(n.Type().String()))
}

// nearest says which field was probably meant.
func (r *yamlReader) nearest(name string) string {
	var names []string
	for _, f := range r.config.Fields() {
		names = append(names, f.Name)
	}
	if best := spelling.Nearest(name, slices.Values(names)); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "see `sipwerk serve --help` for the names there are"
}
