// YAML: how objects are written for people and read strictly. A name that is not a field is refused with its line and the nearest name that is. JSON is read
// by the same rules, because it is YAML too.

package object

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/sipwerk/sipwerk/internal/spelling"
)

// lineError is what is wrong in a line of a text.
type lineError struct {
	line    int
	field   string
	problem string
}

func (e *lineError) Error() string {
	if e.field != "" {
		return e.field + ": " + e.problem
	}
	return e.problem
}

// parseYAML returns the one document of a text, nil if it is empty.
func parseYAML(b []byte) (ast.Node, error) {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) // the parser counts such lines otherwise
	if len(b) >= longText {
		if n, err, ok := parsePieces(b); ok {
			return n, err
		}
	}
	return oneDocument(parser.ParseBytes(b, 0, parser.AllowDuplicateMapKey()))
}

// oneDocument returns the one document of what the parser has read, nil if there is none.
func oneDocument(file *ast.File, err error) (ast.Node, error) {
	if err != nil {
		var se yaml.Error
		if errors.As(err, &se) && se.GetToken() != nil {
			return nil, &lineError{line: se.GetToken().Position.Line, problem: fmt.Sprintf("this is no YAML: %s; write `name: value`, nested names two blanks deeper", se.GetMessage())}
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, &lineError{problem: fmt.Sprintf("this is no YAML: %s; write `name: value`, nested names two blanks deeper", first)}
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.CommentType {
			continue
		}
		if body != nil {
			return nil, &lineError{line: line(doc.Body), problem: "this is a second document; keep one"}
		}
		body = doc.Body
	}
	return body, nil
}

func line(n ast.Node) int { return n.GetToken().Position.Line }

// entriesOf returns the names and values of a mapping, in which a name may be twice.
func entriesOf(n ast.Node) ([]*ast.MappingValueNode, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	case *ast.NullNode:
		return nil, nil
	}
	return nil, &lineError{line: line(n), problem: "a value stands where names are expected; write `name: value`"}
}

// pairs returns the names and values of a mapping.
func pairs(n ast.Node) ([]*ast.MappingValueNode, error) {
	all, err := entriesOf(n)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]int, len(all))
	for _, p := range all {
		name := p.Key.GetToken().Value
		if before, twice := seen[name]; twice {
			return nil, &lineError{line: line(p.Key), field: name, problem: fmt.Sprintf("given before in line %d; keep one of them", before)}
		}
		seen[name] = line(p.Key)
	}
	return all, nil
}

// decode reads the value of a node into v.
func decode(n ast.Node, v reflect.Value) error {
	if text, ok := scalar(n); ok {
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String || v.Kind() == reflect.Map || isPlainStruct(v.Type()) {
			if text != "" {
				return &lineError{line: line(n), problem: fmt.Sprintf("%q stands where several values are expected; write a list or names with values", text)}
			}
			v.SetZero()
			return nil
		}
		if err := setText(v, text); err != nil {
			return &lineError{line: line(n), problem: err.Error()}
		}
		return nil
	}
	switch {
	case v.Kind() == reflect.Slice && n.Type() == ast.SequenceType:
		return decodeList(n.(*ast.SequenceNode), v)
	case v.Kind() == reflect.Map:
		return decodePairs(n, v)
	case isPlainStruct(v.Type()):
		return decodeStruct(n, v, "")
	}
	return &lineError{line: line(n), problem: fmt.Sprintf("a %s is no value here; write a plain value, in quotes if a colon is in it", strings.ToLower(n.Type().String()))}
}

// isPlainStruct reports whether a type is a struct that is written field by field.
func isPlainStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// scalar returns the text of a plain value.
func scalar(n ast.Node) (text string, ok bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case *ast.NullNode:
		return "", true
	}
	return "", false
}

func decodeList(n *ast.SequenceNode, v reflect.Value) error {
	list := reflect.MakeSlice(v.Type(), len(n.Values), len(n.Values))
	for i, item := range n.Values {
		setDefaultsOf(list.Index(i))
		if err := decode(item, list.Index(i)); err != nil {
			return err
		}
	}
	v.Set(none(list))
	return nil
}

// setDefaultsOf gives a struct in a list its defaults.
func setDefaultsOf(v reflect.Value) {
	if isPlainStruct(v.Type()) {
		setDefaults(v)
	}
}

func decodePairs(n ast.Node, v reflect.Value) error {
	all, err := pairs(n)
	if err != nil {
		return err
	}
	m := reflect.MakeMap(v.Type())
	for _, p := range all {
		text, ok := scalar(p.Value)
		if !ok {
			return &lineError{line: line(p.Value), problem: "no plain value; write `key: value`"}
		}
		m.SetMapIndex(reflect.ValueOf(p.Key.GetToken().Value), reflect.ValueOf(text))
	}
	v.Set(none(m))
	return nil
}

// decodeStruct reads the fields that a mapping names into a struct; the field called key is not one of them.
func decodeStruct(n ast.Node, v reflect.Value, key string) error {
	all, err := pairs(n)
	if err != nil {
		return err
	}
	fields := make(map[string][]int)
	var names []string
	for _, sf := range reflect.VisibleFields(v.Type()) {
		if name := sf.Tag.Get("json"); name != "" && name != "-" && name != key {
			fields[name] = sf.Index
			names = append(names, name)
		}
	}
	for _, p := range all {
		name := p.Key.GetToken().Value
		index, ok := fields[name]
		if !ok {
			return &lineError{line: line(p.Key), field: name, problem: "no such field; " + nearest(name, names)}
		}
		if err := decode(p.Value, v.FieldByIndex(index)); err != nil {
			var le *lineError
			if errors.As(err, &le) && le.field == "" {
				le.field = name
			}
			return err
		}
	}
	return nil
}

// setYAML reads a value that is written as YAML, as for a flag.
func setYAML(v reflect.Value, text string) error {
	n, err := parseYAML([]byte(text))
	if err != nil || n == nil {
		return err
	}
	if v.Kind() == reflect.Slice && n.Type() != ast.SequenceType { // one item
		one := reflect.New(v.Type().Elem()).Elem()
		setDefaultsOf(one)
		if err := decode(n, one); err != nil {
			return err
		}
		v.Set(reflect.Append(reflect.Zero(v.Type()), one))
		return nil
	}
	return decode(n, v)
}

// nearest says which name was probably meant.
func nearest(name string, names []string) string {
	if best := spelling.Nearest(name, slices.Values(names)); best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "there are " + strings.Join(names, ", ")
}

// flow writes a struct as YAML in one line, without the fields that hold nothing.
func flow(v reflect.Value) string {
	var b strings.Builder
	b.WriteByte('{')
	for _, sf := range reflect.VisibleFields(v.Type()) {
		name := sf.Tag.Get("json")
		if name == "" || v.FieldByIndex(sf.Index).IsZero() {
			continue
		}
		if b.Len() > 1 {
			b.WriteString(", ")
		}
		b.WriteString(name + ": " + flowValue(v.FieldByIndex(sf.Index)))
	}
	b.WriteByte('}')
	return b.String()
}

// flowValue writes a value so that it can stand in a line of YAML.
func flowValue(v reflect.Value) string {
	if v.Kind() == reflect.Slice {
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flowValue(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if v.Kind() == reflect.Struct {
		return flow(v)
	}
	return quoted(Text(v))
}

// quoted writes a text as a value of YAML: bare where nothing can mistake it, otherwise in double quotes.
func quoted(s string) string {
	for i, r := range s {
		plain := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || i > 0 && strings.ContainsRune("-_./+@", r)
		if !plain {
			return strconv.Quote(s)
		}
	}
	switch strings.ToLower(s) {
	case "", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf":
		return strconv.Quote(s)
	}
	_, integer := strconv.ParseInt(s, 0, 64)
	_, float := strconv.ParseFloat(s, 64)
	if (integer == nil || float == nil) && (strings.Trim(s, "0123456789") != "" || s[0] == '0') || strings.Trim(s, "0123456789-") == "" && strings.Contains(s, "-") {
		return strconv.Quote(s) // 1e3, 0x10, 007, 2026-12-31
	}
	return s
}
