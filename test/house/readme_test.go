// The programs of the README.

package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReadmePrograms: each Go program of the README stands in examples/, where the compiler and its own test see it.
func TestReadmePrograms(t *testing.T) {
	readme, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllSubmatch(readme, -1)
	if len(blocks) < 3 {
		t.Fatalf("the README shows %d Go programs, want three", len(blocks))
	}
	var examples strings.Builder
	for _, s := range tree(t) {
		if strings.HasPrefix(s.name, "examples/") {
			examples.Write(s.text)
		}
	}
	for _, b := range blocks {
		code := strings.TrimSpace(string(b[1]))
		if !strings.Contains(dedent(examples.String()), dedent(code)) {
			t.Errorf("this program of the README stands in no file of examples/:\n%s", code)
		}
	}
}

// dedent drops the indentation of each line, so that the body of a function can be shown on its own.
func dedent(code string) string {
	return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(code, "")
}

// TestServiceReadmes: what the Go examples of the services name of ours is there: functions, types, and the fields of literals.
func TestServiceReadmes(t *testing.T) {
	known := map[string]bool{} // "proxy.Proxy", "proxy.Proxy.Locator"
	for _, s := range tree(t) {
		if !s.test {
			declared(s, known)
		}
	}
	pages, err := filepath.Glob(root + "/service/*/README.md")
	if err != nil || len(pages) < 7 {
		t.Fatalf("%d services have a README, want seven: %v", len(pages), err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			// An example stands in a function, but for functions of its own.
			code, own, _ := strings.Cut(b[1], "\nfunc ")
			if own != "" {
				own = "\nfunc " + own
			}
			file, err := parser.ParseFile(token.NewFileSet(), page, "package example\nfunc _() error {\n"+code+"\n}\n"+own, 0)
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			for _, name := range ours(file) {
				if room, _, _ := strings.Cut(name, "."); known[room] && !known[name] {
					t.Errorf("%s: there is no %s", page, name)
				}
			}
		}
	}
}

// declared enters the exported names of a file, and the fields of its structs.
func declared(s source, known map[string]bool) {
	room := s.file.Name.Name
	known[room] = true
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			known[room+"."+n.Name.Name] = true
			return false
		case *ast.ValueSpec:
			for _, name := range n.Names {
				known[room+"."+name.Name] = true
			}
		case *ast.TypeSpec:
			known[room+"."+n.Name.Name] = true
			if fields, ok := n.Type.(*ast.StructType); ok {
				for _, f := range fields.Fields.List {
					for _, name := range f.Names {
						known[room+"."+n.Name.Name+"."+name.Name] = true
					}
				}
			}
		}
		return true
	})
}

// ours are the names of other packages in a file, and of the fields of their literals.
func ours(file *ast.File) (all []string) {
	qualified := func(e ast.Expr) string {
		if sel, ok := e.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				return x.Name + "." + sel.Sel.Name
			}
		}
		return ""
	}
	fields := func(of string, list []ast.Expr) {
		for _, e := range list {
			if field, ok := e.(*ast.KeyValueExpr); ok && of != "" {
				if key, ok := field.Key.(*ast.Ident); ok {
					all = append(all, of+"."+key.Name)
				}
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if name := qualified(n); name != "" {
				all = append(all, name)
			}
		case *ast.CompositeLit:
			if list, ok := n.Type.(*ast.ArrayType); ok {
				for _, e := range n.Elts {
					if one, ok := e.(*ast.CompositeLit); ok && one.Type == nil {
						fields(qualified(list.Elt), one.Elts)
					}
				}
				return true
			}
			fields(qualified(n.Type), n.Elts)
		}
		return true
	})
	return all
}
