// Names of files, packages and types; words that mean something is left to be cleaned up.

package house

import (
	"bytes"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestFileNames(t *testing.T) {
	drawers := []string{"handlers", "helpers", "helper", "types", "misc", "util", "utils", "common", "base"}
	for _, s := range tree(t) {
		base := strings.TrimSuffix(strings.TrimSuffix(path.Base(s.name), ".go"), "_test")
		if slices.Contains(drawers, base) {
			t.Errorf("%s: a file is named after what a reader looks for, not %q", s.name, base)
		}
	}
}

func TestTypeNames(t *testing.T) {
	drawer := regexp.MustCompile(`[a-z](Manager|Helper|Util|Base|Impl|Info|Data|Wrapper)$|^(Manager|Helper|Util|Base|Impl|Info|Wrapper)$`)
	for _, s := range tree(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && drawer.MatchString(spec.Name.Name) {
				t.Errorf("%s:%d: type %s: a type with such a name has a job that is not understood yet", s.name, s.line(n.Pos()), spec.Name.Name)
			}
			return true
		})
	}
}

func TestNothingWaits(t *testing.T) {
	words := regexp.MustCompile(`\b(` + strings.Join([]string{"TO" + "DO", "FIX" + "ME", "X" + "XX", "no" + "lint", "lint:" + "ignore"}, "|") + `)\b`)
	for _, s := range tree(t) {
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if m := words.FindString(c.Text); m != "" {
					t.Errorf("%s:%d: %s", s.name, s.line(c.Pos()), m)
				}
			}
		}
	}
}

// TestCitationForm: one form only, "RFC nnnn §a.b.c".
func TestCitationForm(t *testing.T) {
	odd := regexp.MustCompile(`\b(rfc[0-9]{3,5}\b|RFC-?[0-9]{3,5}\b|RFC [0-9]{3,5},? (section|sec\.|Section|chapter))`)
	for _, s := range tree(t) {
		for _, group := range s.file.Comments {
			if m := odd.FindString(group.Text()); m != "" {
				t.Errorf("%s:%d: %q is not of the form RFC nnnn §a.b.c", s.name, s.line(group.Pos()), m)
			}
		}
	}
}

func TestNoSleepInTests(t *testing.T) {
	for _, s := range tree(t) {
		if s.test && !strings.HasPrefix(s.name, "test/") && bytes.Contains(s.text, []byte("time.Sleep(")) && !bytes.Contains(s.text, []byte(`"testing/synctest"`)) {
			t.Errorf("%s sleeps outside virtual time", s.name)
		}
	}
}
