// Files that are imported, and files of which nothing is.

package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
)

func count(t *testing.T, s *Store) (n int) {
	t.Helper()
	for _, err := range s.Accounts(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestImport(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       int
	}{
		{"plain", "user,password,name\nu1,p1,Ann\nu2,p2,\n", 2},
		{"no name", "user,password\nu1,p1\n", 1},
		{"other order, spreadsheet", "\ufeffName, Password ,USER,Room\r\n\"Ann, \"\"A\"\"\",p 1,u1,7\r\n", 1},
		{"empty", "user,password,name\n", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := open(t)
			n, err := s.Import(t.Context(), domain, strings.NewReader(c.file), nil)
			if err != nil || n != c.want || count(t, s) != c.want {
				t.Errorf("%d accounts, %v", n, err)
			}
		})
	}
}

func TestImportFaults(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"no header", "u1,p1\n", "line 1: the columns user and password are not named; start the file with the line user,password,name"},
		{"nothing", "", "line 1: the columns user and password are not named; start the file with the line user,password,name"},
		{"user", "user,password\nok,p\na b,p\n", "line 3: user: holds ' '; use letters, digits and -_.!~*'()+"},
		{"password", "user,password\nok,p\nu1,\n", "line 3: password: is empty; give one"},
		{"name", "user,password,name\nu1,p,\"a\x01\"\n", "line 2: name: holds a control character; leave it out"},
		{"twice", "user,password\nu1,p\nu2,p\nu1,q\n", "line 4: user: u1 stands in line 2 too; keep one"},
		{"taken", "user,password\nu1,p\nalice,p\n", "line 3: user: alice@example.org exists already; take the line out, or change its secret with `sipwerk account password`"},
		{"columns", "user,password\nu1,p\nu2\nu3,p,x\n", "line 3: format: wrong number of fields; write as many columns as the first line names, quotes in pairs\n" +
			"line 4: format: wrong number of fields; write as many columns as the first line names, quotes in pairs"},
		{"quote", "user,password\nu1,p\nu2,\"p\n", "line 3: format: extraneous or missing \" in quoted-field; write as many columns as the first line names, quotes in pairs"},
		{"many", "user,password\n" + strings.Repeat("a b,p\n", 25), strings.Repeat("?\n", 20) + "and 5 more"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := open(t)
			add(t, s, "alice")
			n, err := s.Import(t.Context(), domain, strings.NewReader(c.file), nil)
			if err == nil || n != 0 {
				t.Fatalf("imported %d, %v", n, err)
			}
			if got := err.Error(); got != c.want && !(strings.HasPrefix(c.want, "?") && strings.HasSuffix(got, "\nand 5 more") && strings.Count(got, "\n") == 20) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			if n := count(t, s); n != 1 {
				t.Errorf("%d accounts after a refused file", n)
			}
		})
	}
}

// TestImportLong: faults late in a long file undo all that came before, and progress comes more than once.
func TestImportLong(t *testing.T) {
	var b strings.Builder
	b.WriteString("user,password,name\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "u%d,p%d,User %d\n", i, i, i)
	}
	s, _ := open(t)
	var f *Faults
	if _, err := s.Import(t.Context(), domain, strings.NewReader(b.String()+"u7,p,x\n"), nil); !errors.As(err, &f) || count(t, s) != 0 {
		t.Errorf("%v, %d accounts", err, count(t, s))
	}
	var seen []int
	n, err := s.Import(t.Context(), domain, strings.NewReader(b.String()), func(lines int) { seen = append(seen, lines) })
	if err != nil || n != 2000 || count(t, s) != 2000 || len(seen) < 2 || seen[len(seen)-1] != 2000 {
		t.Errorf("%d accounts, %v, progress %v", n, err, seen)
	}
}

func FuzzImport(f *testing.F) {
	for _, s := range []string{"user,password,name\nu1,p1,Ann\n", "user,password\n\"u\",\"\n", "name,user\nx,y\n", "user,password\n,\n\n,,\n"} {
		f.Add(s)
	}
	s, err := Open(f.Context(), f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, file string) {
		in, err := newImporter(s, Domain{Name: domain, Realm: domain}, strings.NewReader(file))
		if err != nil {
			return
		}
		for more := true; more && err == nil; {
			var entries []entry
			entries, more, err = in.chunk()
			for _, e := range entries {
				if object.CheckUser(e.user) != nil || object.CheckName(e.name) != nil {
					t.Errorf("accepted %+v", e)
				}
			}
		}
	})
}
