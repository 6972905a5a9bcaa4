// Comments: every package, every file, every exported name.

package house

import (
	"go/ast"
	"testing"
)

func TestPackageComments(t *testing.T) {
	documented, packages := map[string]bool{}, map[string]bool{}
	for _, s := range tree(t) {
		if s.test && s.pkg != "test/house" {
			continue
		}
		packages[s.pkg] = true
		documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil
	}
	for pkg := range packages {
		if !documented[pkg] {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

func TestFileComments(t *testing.T) {
	for _, s := range tree(t) {
		if s.test || s.file.Doc != nil {
			continue
		}
		if len(s.file.Comments) == 0 || len(s.file.Decls) > 0 && s.file.Comments[0].Pos() > s.file.Decls[0].Pos() {
			t.Errorf("%s does not say at its top what it holds", s.name)
		}
	}
}

func TestExportedComments(t *testing.T) {
	for _, s := range tree(t) {
		if s.test || s.file.Name.Name == "main" {
			continue
		}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && d.Doc == nil {
					t.Errorf("%s:%d: %s has no contract", s.name, s.line(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				exportedSpecs(t, s, d)
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func exportedSpecs(t *testing.T, s source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		if typ, ok := spec.(*ast.TypeSpec); ok && typ.Name.IsExported() && d.Doc == nil && typ.Doc == nil {
			t.Errorf("%s:%d: type %s has no contract", s.name, s.line(spec.Pos()), typ.Name.Name)
		}
		if v, ok := spec.(*ast.ValueSpec); ok && v.Names[0].IsExported() && d.Doc == nil && v.Doc == nil && v.Comment == nil {
			t.Errorf("%s:%d: %s has no contract", s.name, s.line(spec.Pos()), v.Names[0].Name)
		}
	}
}
