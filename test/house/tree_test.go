// Package house holds the rules of the house as tests: layers, sizes, names, comments, globals, citations, README examples.
// The rules themselves are explained in docs/style.md.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// source is one parsed Go file.
type source struct {
	name string // slash path from the root of the project
	pkg  string // folder
	test bool
	text []byte
	file *ast.File
	fset *token.FileSet
}

func (s source) line(p token.Pos) int { return s.fset.Position(p).Line }

// sources parses every Go file of the module, once.
var sources = sync.OnceValues(func() ([]source, error) {
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if d.IsDir() {
			if path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "test/bench" || d.Name() == "node_modules") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{name: name, pkg: filepath.ToSlash(filepath.Dir(name)), test: strings.HasSuffix(name, "_test.go"), text: text, file: file, fset: fset})
		return nil
	})
	return all, err
})

func tree(t *testing.T) []source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// functions calls f for each function declaration and each function literal outside one.
func functions(s source, f func(name string, typ *ast.FuncType, body *ast.BlockStmt)) {
	for _, d := range s.file.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
			f(fn.Name.Name, fn.Type, fn.Body)
		}
	}
}

// count sums the names of a field list; an unnamed field counts as one.
func count(list *ast.FieldList) int {
	if list == nil {
		return 0
	}
	n := 0
	for _, f := range list.List {
		n += max(1, len(f.Names))
	}
	return n
}
