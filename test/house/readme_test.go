// The programs of the README.

package house

import (
	"os"
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
