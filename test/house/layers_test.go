// Import arrows against docs/layers.txt.

package house

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path"
	"strings"
	"testing"
)

const module = "github.com/sipwerk/sipwerk"

// layers reads docs/layers.txt.
func layers(t *testing.T) map[string][]string {
	text, err := os.ReadFile(root + "/docs/layers.txt")
	if err != nil {
		t.Fatal(err)
	}
	rooms := map[string][]string{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		room, may, ok := strings.Cut(line, ":")
		if ok {
			rooms[strings.TrimSpace(room)] = strings.Fields(may)
		}
	}
	return rooms
}

func matches(pattern, name string) bool {
	if pattern == "*" {
		return true
	}
	base, below := strings.CutSuffix(pattern, "/*")
	return name == base || (below || strings.Contains(base, ".")) && strings.HasPrefix(name, base+"/")
}

func TestLayers(t *testing.T) {
	rooms := layers(t)
	cmd := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		room := strings.TrimPrefix(words[0], module+"/")
		may, ok := allowed(rooms, room, seen)
		if !ok {
			t.Errorf("%s has no line in docs/layers.txt", room)
			continue
		}
		for _, imported := range words[1:] {
			if !mayImport(may, imported) {
				t.Errorf("%s imports %s, which docs/layers.txt does not allow", room, imported)
			}
		}
	}
}

func allowed(rooms map[string][]string, room string, seen map[string]bool) ([]string, bool) {
	if may, ok := rooms[room]; ok {
		seen[room] = true
		return may, true
	}
	for pattern, may := range rooms {
		if strings.HasSuffix(pattern, "*") && matches(pattern, room) {
			return may, true
		}
	}
	return nil, false
}

func mayImport(may []string, imported string) bool {
	name, own := strings.CutPrefix(imported, module+"/")
	if first, _, _ := strings.Cut(path.Clean(imported), "/"); !own && !strings.Contains(first, ".") {
		return true // standard library
	}
	for _, pattern := range may {
		if matches(pattern, name) {
			return true
		}
	}
	return false
}
