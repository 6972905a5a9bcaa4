// Sizes: what never, and where the 95th percentile lies.

package house

import (
	"bytes"
	"go/ast"
	"slices"
	"testing"
)

// The limits of docs/style.md.
const (
	maxFunction, aimFunction = 100, 50
	maxFile, aimFile         = 800, 450
	maxTestFile              = 1000
	maxFiles                 = 40
	maxNesting               = 4
	maxParams, maxResults    = 5, 3
	maxFields, maxMethods    = 30, 6
)

func TestFunctions(t *testing.T) {
	var lengths []int
	for _, s := range tree(t) {
		functions(s, func(name string, typ *ast.FuncType, body *ast.BlockStmt) {
			length := s.line(body.Rbrace) - s.line(body.Lbrace) + 1
			if !s.test {
				lengths = append(lengths, length)
			}
			if length > maxFunction {
				t.Errorf("%s:%d: %s has %d lines, the limit is %d", s.name, s.line(body.Pos()), name, length, maxFunction)
			}
			if n := nesting(body); n > maxNesting {
				t.Errorf("%s:%d: %s nests %d deep, the limit is %d", s.name, s.line(body.Pos()), name, n, maxNesting)
			}
			if n := count(typ.Params); n > maxParams {
				t.Errorf("%s:%d: %s has %d parameters, the limit is %d", s.name, s.line(body.Pos()), name, n, maxParams)
			}
			if n := count(typ.Results); n > maxResults {
				t.Errorf("%s:%d: %s has %d results, the limit is %d", s.name, s.line(body.Pos()), name, n, maxResults)
			}
		})
	}
	if p := percentile(lengths, 95); p > aimFunction {
		t.Errorf("the 95th percentile of function lengths is %d lines, the aim is %d", p, aimFunction)
	}
}

func TestFiles(t *testing.T) {
	var lengths []int
	files := map[string]int{}
	for _, s := range tree(t) {
		n, limit := bytes.Count(s.text, []byte{'\n'}), maxFile
		if s.test {
			limit = maxTestFile
		} else {
			lengths = append(lengths, n)
			files[s.pkg]++
		}
		if n > limit {
			t.Errorf("%s has %d lines, the limit is %d", s.name, n, limit)
		}
	}
	for pkg, n := range files {
		if n > maxFiles {
			t.Errorf("%s has %d files, the limit is %d", pkg, n, maxFiles)
		}
	}
	if p := percentile(lengths, 95); p > aimFile {
		t.Errorf("the 95th percentile of file lengths is %d lines, the aim is %d", p, aimFile)
	}
}

func TestTypes(t *testing.T) {
	for _, s := range tree(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.StructType:
				if c := count(n.Fields); c > maxFields {
					t.Errorf("%s:%d: a struct has %d fields, the limit is %d", s.name, s.line(n.Pos()), c, maxFields)
				}
			case *ast.InterfaceType:
				if c := count(n.Methods); c > maxMethods {
					t.Errorf("%s:%d: an interface has %d methods, the limit is %d", s.name, s.line(n.Pos()), c, maxMethods)
				}
			}
			return true
		})
	}
}

// nesting counts how deep if, for, switch and select lie in each other; an else-if is no step, a function literal starts anew.
func nesting(body *ast.BlockStmt) int {
	deepest := 0
	var walk func(n ast.Node, depth int)
	walk = func(n ast.Node, depth int) {
		ast.Inspect(n, func(c ast.Node) bool {
			if c == nil || c == n {
				return c != nil
			}
			switch c := c.(type) {
			case *ast.FuncLit:
				walk(c.Body, 0)
				return false
			case *ast.IfStmt:
				elseIf := false
				if parent, ok := n.(*ast.IfStmt); ok {
					elseIf = parent.Else == c
				}
				next := depth + 1
				if elseIf {
					next = depth
				}
				deepest = max(deepest, next)
				walk(c, next)
				return false
			case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				deepest = max(deepest, depth+1)
				walk(c, depth+1)
				return false
			}
			return true
		})
	}
	walk(body, 0)
	return deepest
}

func percentile(values []int, p int) int {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)-1, len(values)*p/100)]
}
