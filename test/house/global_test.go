// No init, no package variable that changes.

package house

import (
	"go/ast"
	"go/token"
	"testing"
)

func TestNoInit(t *testing.T) {
	for _, s := range tree(t) {
		functions(s, func(name string, _ *ast.FuncType, body *ast.BlockStmt) {
			if name == "init" {
				t.Errorf("%s:%d: init: wiring is Go code that is read from top to bottom", s.name, s.line(body.Pos()))
			}
		})
	}
}

// TestNoMutableGlobals: a package variable may hold a sentinel or a table, and nothing writes to it.
func TestNoMutableGlobals(t *testing.T) {
	globals := map[string]map[string]token.Position{}
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		if globals[s.pkg] == nil {
			globals[s.pkg] = map[string]token.Position{}
		}
		packageVariables(t, s, globals[s.pkg])
	}
	for _, s := range tree(t) {
		if s.test {
			continue
		}
		functions(s, func(name string, typ *ast.FuncType, body *ast.BlockStmt) {
			writes(body, func(id *ast.Ident) {
				if at, ok := globals[s.pkg][id.Name]; ok && !local(typ, body, id.Name) {
					t.Errorf("%s:%d: %s writes to %s of %s", s.name, s.line(id.Pos()), name, id.Name, at)
				}
			})
		})
	}
}

func packageVariables(t *testing.T, s source, into map[string]token.Position) {
	for _, d := range s.file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, spec := range g.Specs {
			v := spec.(*ast.ValueSpec)
			for _, name := range v.Names {
				into[name.Name] = s.fset.Position(name.Pos())
			}
			if sel, ok := v.Type.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
					t.Errorf("%s:%d: %s is state; it belongs in a field", s.name, s.line(v.Pos()), v.Names[0].Name)
				}
			}
			if _, ok := v.Type.(*ast.ChanType); ok {
				t.Errorf("%s:%d: %s is a channel; it belongs in a field", s.name, s.line(v.Pos()), v.Names[0].Name)
			}
		}
	}
}

// writes calls f with the root of each expression that is assigned to.
func writes(body *ast.BlockStmt, f func(*ast.Ident)) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, lhs := range n.Lhs {
					target(lhs, f)
				}
			}
		case *ast.IncDecStmt:
			target(n.X, f)
		}
		return true
	})
}

func target(e ast.Expr, f func(*ast.Ident)) {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			f(x)
			return
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return
		}
	}
}

// local reports whether a function has a variable, parameter or result of that name.
func local(typ *ast.FuncType, body *ast.BlockStmt, name string) bool {
	found := false
	see := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, id := range n.Names {
				found = found || id.Name == name
			}
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				id, ok := lhs.(*ast.Ident)
				found = found || ok && n.Tok == token.DEFINE && id.Name == name
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				found = found || id.Name == name
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				id, ok := e.(*ast.Ident)
				found = found || ok && n.Tok == token.DEFINE && id.Name == name
			}
		}
		return !found
	}
	ast.Inspect(typ, see)
	ast.Inspect(body, see)
	return found
}
