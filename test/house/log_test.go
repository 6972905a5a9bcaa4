// docs/log.md against the code: each line that the server can log is on the page, with its level and its fields, and the page has no others.

package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logged is a place that writes a line.
type logged struct {
	at      string   // file and line
	event   string   // its words; "trunk …" if they go on with what has happened
	level   string   // "" if it depends
	fields  []string // that the place names itself
	perhaps []string // that are named elsewhere, in its file or for the same event
}

// row is one of the page.
type row struct {
	levels, fields []string
	seen           bool
}

func TestLogIsDocumented(t *testing.T) {
	page, all := logPage(t), lines(t)
	exact, fields := map[string]bool{}, map[string][]string{}
	for _, l := range all {
		exact[l.event] = true
		fields[l.event] = append(fields[l.event], l.fields...)
	}
	for _, l := range all {
		found := false
		start, open := strings.CutSuffix(l.event, "…")
		l.perhaps = append(l.perhaps, fields[l.event]...) // another place of the same event may name more
		for event, r := range page {
			if event == l.event || open && !exact[event] && strings.HasPrefix(event, start) {
				found, r.seen = true, event == l.event || said(t, strings.TrimPrefix(event, start))
				compare(t, l, event, r)
			}
		}
		if !found {
			t.Errorf("%s: docs/log.md has no line for %q", l.at, l.event)
		}
	}
	for event, r := range page {
		if !r.seen {
			t.Errorf("docs/log.md: nothing logs %q", event)
		}
	}
}

// said reports whether the code has these words.
func said(t *testing.T, words string) bool {
	return slices.ContainsFunc(tree(t), func(s source) bool { return !s.test && bytes.Contains(s.text, []byte(strconv.Quote(words))) })
}

// compare holds a place against its row. Of an event that goes on with what has happened each row has some of the fields.
func compare(t *testing.T, l logged, event string, r *row) {
	if event == l.event {
		if l.level != "" && !slices.Contains(r.levels, l.level) {
			t.Errorf("%s: %q is of level %s, and docs/log.md says %v", l.at, event, l.level, r.levels)
		}
		for _, f := range l.fields {
			if !slices.Contains(r.fields, f) {
				t.Errorf("%s: docs/log.md does not name the field %s of %q", l.at, f, event)
			}
		}
	}
	for _, f := range r.fields {
		if !slices.Contains(l.fields, f) && !slices.Contains(l.perhaps, f) {
			t.Errorf("%s: docs/log.md names the field %s of %q, which it has not", l.at, f, event)
		}
	}
}

// logPage reads the tables of the page: event, level, fields, meaning.
func logPage(t *testing.T) map[string]*row {
	text, err := os.ReadFile(root + "/docs/log.md")
	if err != nil {
		t.Fatal(err)
	}
	page := map[string]*row{}
	code := regexp.MustCompile("`([^`]+)`")
	words := func(cell string) (all []string) {
		for _, m := range code.FindAllStringSubmatch(cell, -1) {
			all = append(all, m[1])
		}
		return all
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		event := words(cells[1])[0]
		if page[event] != nil {
			t.Errorf("docs/log.md has %q twice", event)
		}
		page[event] = &row{levels: strings.FieldsFunc(cells[2], func(r rune) bool { return r == ' ' || r == ',' }), fields: words(cells[3])}
	}
	return page
}

// lines are the places of the server that write one.
func lines(t *testing.T) (all []logged) {
	for _, s := range tree(t) {
		if room, _, _ := strings.Cut(s.name, "/"); s.test || !slices.Contains([]string{"server", "service", "sip", "media", "network", "internal"}, room) || strings.HasPrefix(s.name, "sip/siptest/") {
			continue
		}
		functions(s, func(_ string, _ *ast.FuncType, body *ast.BlockStmt) {
			ast.Inspect(body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				if level, args, ok := logs(call); ok {
					event, _ := words(args[0])
					l := logged{at: fmt.Sprintf("%s:%d", s.name, s.line(call.Pos())), event: event, level: level, fields: names(&ast.CompositeLit{Elts: args[1:]})}
					if call.Ellipsis.IsValid() {
						l.fields = append(l.fields, before(body, args[len(args)-1])...)
						l.perhaps = names(s.file)
					}
					all = append(all, l)
				}
				return true
			})
		})
	}
	return all
}

// before are the fields that a function has put into the list that it gives to a line.
func before(body *ast.BlockStmt, list ast.Expr) (fields []string) {
	if call, ok := list.(*ast.CallExpr); ok { // append
		list = call.Args[0]
	}
	name, ok := list.(*ast.Ident)
	if !ok {
		return nil
	}
	ast.Inspect(body, func(n ast.Node) bool {
		if a, ok := n.(*ast.AssignStmt); ok {
			if to, ok := a.Lhs[0].(*ast.Ident); ok && to.Name == name.Name {
				fields = append(fields, names(a.Rhs[0])...)
			}
		}
		return true
	})
	return fields
}

// logs reports whether a call writes a line: its level, and its arguments from the words on.
func logs(call *ast.CallExpr) (level string, args []ast.Expr, ok bool) {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", nil, false
	}
	var by string // the last name before the method
	switch x := method.X.(type) {
	case *ast.Ident:
		by = x.Name
	case *ast.SelectorExpr:
		by = x.Sel.Name
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.SelectorExpr); ok {
			by = f.Sel.Name
		}
	}
	if by = strings.ToLower(by); by != "log" && by != "slog" {
		return "", nil, false
	}
	switch method.Sel.Name {
	case "Debug", "Info", "Warn", "Error":
		return strings.ToLower(method.Sel.Name), call.Args, true
	case "LogAttrs", "Log":
		if given, ok := call.Args[1].(*ast.SelectorExpr); ok {
			level = strings.ToLower(strings.TrimPrefix(given.Sel.Name, "Level"))
		}
		return level, call.Args[2:], true
	}
	return "", nil, false
}

// words are those of a literal, or its beginning and "…".
func words(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		s, ok := words(e.X)
		return s + "…", ok
	}
	return "", false
}

// names are the fields that stand below a node: first arguments of slog.String and its like, and every other one of a list.
func names(n ast.Node) (all []string) {
	list := func(args []ast.Expr) {
		for i := 0; i < len(args); i++ {
			lit, ok := args[i].(*ast.BasicLit)
			if !ok {
				continue
			}
			if s, ok := words(lit); ok {
				all = append(all, s)
				i++ // its value
			}
		}
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if from, ok := n.Fun.(*ast.SelectorExpr); ok {
				if x, ok := from.X.(*ast.Ident); ok && x.Name == "slog" && len(n.Args) == 2 {
					list(n.Args[:1])
				}
				return true
			}
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "append" && len(n.Args) > 1 {
				list(n.Args[1:])
			}
		case *ast.CompositeLit:
			list(n.Elts)
		}
		return true
	})
	return all
}
