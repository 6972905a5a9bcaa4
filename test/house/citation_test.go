// Citations resolve, claims are tested, the compliance page is true.

package house

import (
	"bytes"
	"os"
	"testing"

	"github.com/sipwerk/sipwerk/rfc"
)

func TestCitations(t *testing.T) {
	text, err := os.ReadFile(root + "/rfc/index.txt")
	if err != nil {
		t.Fatal(err)
	}
	index, err := rfc.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	cited, err := rfc.Scan(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range rfc.Check(index, cited) {
		t.Error(fault)
	}
	page, err := os.ReadFile(root + "/docs/compliance.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range index {
		if !bytes.Contains(page, []byte(e.Title)) {
			t.Errorf("docs/compliance.md lacks RFC %d: run go run ./rfc/xref -page docs/compliance.md", e.Number)
		}
	}
}
