package terminal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/mail"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

// TestGerman: every text that is looked up has a German one with the same verbs, and no German one is for nothing.
func TestGerman(t *testing.T) {
	texts := make(map[string]bool)
	for _, f := range config.Default(func(string) (string, bool) { return "", false }, true).Fields() {
		texts[f.Short()] = true
	}
	for _, heading := range []string{"Usage:", "Aliases:", "Examples:", "Available Commands:", "Additional help topics:", "Global Flags:", "Flags:",
		`Use "{{.CommandPath}} [command] --help" for more information about a command.`} {
		texts[heading] = true
	}
	for _, n := range setup.Numbers() {
		texts[n.Description] = true
	}
	for _, sentence := range slices.Concat(mail.Sentences(), carrier.Sentences()) {
		texts[sentence] = true
	}
	for _, k := range server.RoomCommands() {
		texts[k.Description] = true
	}
	for _, s := range slices.Concat(dialplan.Sayings(), dial.Sayings()) {
		texts[string(s)] = true
	}
	for _, k := range dialplan.Kinds() {
		texts[string(k)] = true
	}
	for _, k := range object.Kinds() {
		texts[k.Title], texts[k.Doc] = true, true
		for _, f := range k.Fields() {
			if !f.Key {
				texts[f.Short()] = true
			}
		}
	}
	for _, word := range server.RoomWords() {
		texts[word] = true
	}
	for _, state := range server.AgentStates() {
		texts[state] = true
	}
	here, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(here, below...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 0 {
				if s, ok := literal(call.Args[0]); ok && says(call.Fun) {
					texts[s] = true
				}
			}
			return true
		})
	}
	german := maps.Clone(germanTexts)
	maps.Copy(german, germanObjectTexts)
	maps.Copy(german, germanRouteTexts)
	if len(german) != len(germanTexts)+len(germanObjectTexts)+len(germanRouteTexts) {
		t.Error("a text has two German ones")
	}
	verbs := regexp.MustCompile(`%[a-z]`)
	for text := range texts {
		translated, ok := german[text]
		if !ok {
			t.Errorf("no German for %q", text)
		} else if strings.Join(verbs.FindAllString(text, -1), "") != strings.Join(verbs.FindAllString(translated, -1), "") {
			t.Errorf("%q and %q take different arguments", text, translated)
		}
	}
	for text := range german {
		if !texts[text] {
			t.Errorf("nobody says %q", text)
		}
	}
}

// says reports whether a function takes a text to be translated.
func says(fun ast.Expr) bool {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	from, _ := sel.X.(*ast.Ident)
	return (from == nil || from.Name != "fmt") && slices.Contains([]string{"Text", "Printf", "Errorf", "Misuse"}, sel.Sel.Name)
}

// literal returns the text of a string literal or a sum of them.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.BinaryExpr:
		a, aok := literal(e.X)
		b, bok := literal(e.Y)
		return a + b, aok && bok
	}
	return "", false
}
