// Citations: "RFC nnnn" and "RFC nnnn §a.b.c" in the Go files of the tree.

package rfc

import (
	"bufio"
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Citation is one place that cites an RFC.
type Citation struct {
	Number  int
	Section string // "" for the RFC as a whole
	File    string
	Line    int
	Test    bool // in a _test.go file, or below test/ or a testdata folder
}

// Scan walks the Go files and the testdata text files of a tree and returns its citations, ordered by RFC, section, file and line.
func Scan(tree fs.FS) ([]Citation, error) {
	var all []Citation
	cite := regexp.MustCompile(`RFC (\d{3,5})`)
	section := regexp.MustCompile(`^(?:, )?(?: and )? ?§([0-9A-Z]+(?:\.[0-9]+)*)`)
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !cites(name):
			return nil
		}
		found, err := scanFile(tree, name, func(line string) []Citation { return citations(line, cite, section) })
		all = append(all, found...)
		return err
	})
	slices.SortStableFunc(all, func(a, b Citation) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), compareSections(a.Section, b.Section), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return all, err
}

// cites reports whether a file may hold citations that count.
func cites(name string) bool {
	return path.Ext(name) == ".go" || (strings.Contains(name, "testdata/") && path.Ext(name) == ".txt")
}

func scanFile(tree fs.FS, name string, find func(string) []Citation) ([]Citation, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	test := strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/") || strings.Contains(name, "testdata/")
	var found []Citation
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		for _, c := range find(lines.Text()) {
			c.File, c.Line, c.Test = name, n, test
			found = append(found, c)
		}
	}
	return found, lines.Err()
}

// citations finds "RFC 3261 §8.1.1, §10.3" and the like: each section behind the number counts.
func citations(line string, cite, section *regexp.Regexp) []Citation {
	var found []Citation
	for _, at := range cite.FindAllStringSubmatchIndex(line, -1) {
		number, _ := strconv.Atoi(line[at[2]:at[3]])
		rest, sections := line[at[1]:], 0
		for m := section.FindStringSubmatch(rest); m != nil; m = section.FindStringSubmatch(rest) {
			found = append(found, Citation{Number: number, Section: m[1]})
			rest = rest[len(m[0]):]
			sections++
		}
		if sections == 0 {
			found = append(found, Citation{Number: number})
		}
	}
	return found
}

// compareSections orders "9.1" before "17.2".
func compareSections(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		n, errX := strconv.Atoi(x)
		m, errY := strconv.Atoi(y)
		if errX == nil && errY == nil {
			return cmp.Compare(n, m)
		}
		return cmp.Compare(x, y)
	})
}
