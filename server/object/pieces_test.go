package object

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// longDocument is a document of many people, with what makes it hard to cut.
func longDocument() string {
	var b strings.Builder
	b.WriteString("# a company\ndomain: example.org\n\naccounts: # all of them\n  # the first\n")
	for i := range 650 {
		fmt.Fprintf(&b, "  u%d:\n    name: \"User: %d, of many\"\n    devices: [u%[1]d,\n      u%[1]d-desk]\n    caller-id: '+4930%06[1]d'\n", i, i)
		if i%100 == 0 {
			b.WriteString("\n    # between\n  # and outside\n")
		}
	}
	b.WriteString("dialplan: {country: DE,\n  area-code: \"30\"}\nhours:\n  office:\n    open:\n    - mon-fri 09:00-17:00\ngroups:\n  600: {members: [u1, u2]}\nmail:\n")
	return b.String()
}

// TestPieces: a long document says the same in pieces as in one, fault by fault and line by line.
func TestPieces(t *testing.T) {
	good := longDocument()
	if len(good) < longText {
		t.Fatal("the document is not long")
	}
	for name, change := range map[string][2]string{
		"good": {}, "no field": {"caller-id: '+4930000777'", "caller: x"}, "twice": {"  u500:", "  u400:"}, "in a piece twice": {"  u501:", "  u500:"}, "bad YAML": {"caller-id: '+4930000777'", "x: ]"},
		"no section": {"hours:", "ours:"}, "a section twice": {"hours:", "groups:"}, "a list of people": {"  u500:", "  - u500:"}, "an anchor": {"  u500:", "  &a u500:"}, "carriage returns": {"\n", "\r\n"},
		"less indented": {"  u500:", " u500:"}, "a document more": {"hours:", "---\nhours:"}, "a tab": {"  u500:", "\tu500:"}, "no value": {"    name: \"User: 500, of many\"", "    name:"},
	} {
		text := good
		if change[0] == "\n" {
			text = strings.ReplaceAll(good, change[0], change[1])
		} else if change[0] != "" {
			text = strings.Replace(good, change[0], change[1], 1)
		}
		got, err := ParseDocument("x.yaml", []byte(text))
		want, wantErr := parseWhole(text)
		if fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Errorf("%s: %v\nwant %v", name, err, wantErr)
		}
		if err == nil && wantErr == nil && !(reflect.DeepEqual(got.People, want.People) && reflect.DeepEqual(got.Settings, want.Settings) && reflect.DeepEqual(got.lines, want.lines)) {
			t.Errorf("%s: the documents differ", name)
		}
	}
	if _, ok := cut([]byte(good)); !ok {
		t.Error("a good document is not cut")
	}
}

// parseWhole is ParseDocument without pieces.
func parseWhole(text string) (*Document, error) {
	return readDocument("x.yaml", func() (ast.Node, error) {
		return oneDocument(parser.ParseBytes([]byte(strings.ReplaceAll(text, "\r", "")), 0, parser.AllowDuplicateMapKey()))
	})
}
