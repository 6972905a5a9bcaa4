// What the store promises: records survive, names are unique, secrets are hashes, locks hold.

package store

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sipwerk/sipwerk/sip/digest"
)

const domain = "example.org"

// open opens a store in a new data folder with one domain.
func open(t *testing.T) (*Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if _, made, err := s.EnsureDomain(t.Context(), domain); err != nil || !made {
		t.Fatal(made, err)
	}
	return s, dir
}

func add(t *testing.T, s *Store, users ...string) {
	t.Helper()
	for _, u := range users {
		if err := s.AddAccount(t.Context(), Account{Domain: domain, User: u, Name: "Name of " + u}, "secret of "+u); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDomain(t *testing.T) {
	s, _ := open(t)
	if d, made, err := s.EnsureDomain(t.Context(), "EXAMPLE.org"); err != nil || made || d.Realm != domain {
		t.Errorf("second time: %+v %v %v", d, made, err)
	}
	if _, err := s.Domain(t.Context(), "example.net"); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown domain: %v", err)
	}
}

func TestAccounts(t *testing.T) {
	s, dir := open(t)
	add(t, s, "bob", "alice")
	if err := s.AddDevice(t.Context(), domain, "alice", "alice-desk", "x"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s, err := Open(t.Context(), dir) // what was acknowledged is there for the next process
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []Account
	for a, err := range s.Accounts(t.Context(), domain) {
		if err != nil {
			t.Fatal(err)
		}
		if age := time.Since(a.Created); age < 0 || age > time.Minute {
			t.Errorf("%s was created %v ago", a.User, age)
		}
		got = append(got, a)
	}
	want := []Account{
		{Domain: domain, User: "alice", Name: "Name of alice", Devices: []Device{{User: "alice"}, {User: "alice-desk"}}},
		{Domain: domain, User: "bob", Name: "Name of bob", Devices: []Device{{User: "bob"}}},
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(Account{}, "Created"), cmpopts.IgnoreFields(Device{}, "Created")); d != "" {
		t.Error(d)
	}
	b, err := os.ReadFile(filepath.Join(dir, "sipwerk.db"))
	if err != nil || strings.Contains(string(b), "secret of") {
		t.Errorf("a secret lies in the database in plain text (%v)", err)
	}
}

func TestRefused(t *testing.T) {
	s, _ := open(t)
	add(t, s, "alice")
	ctx := t.Context()
	if err := s.AddDevice(ctx, domain, "alice", "alice-desk", "x"); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 300)
	for _, c := range []struct {
		name string
		err  error
		is   error
		want string
	}{
		{"account twice", s.AddAccount(ctx, Account{Domain: domain, User: "alice"}, "x"), ErrExists, "alice@example.org exists already"},
		{"account called like a device", s.AddAccount(ctx, Account{Domain: domain, User: "alice-desk"}, "x"), ErrExists, "alice-desk@example.org exists already"},
		{"device twice", s.AddDevice(ctx, domain, "alice", "alice", "x"), ErrExists, "alice@example.org exists already"},
		{"device of nobody", s.AddDevice(ctx, domain, "bob", "bob-desk", "x"), ErrNotFound, "account bob@example.org does not exist"},
		{"foreign domain", s.AddAccount(ctx, Account{Domain: "example.net", User: "bob"}, "x"), ErrNotFound, "domain example.net does not exist"},
		{"secret of nobody", s.SetSecret(ctx, domain, "bob", "x"), ErrNotFound, "device bob@example.org does not exist"},
		{"remove nobody", s.RemoveAccount(ctx, domain, "bob"), ErrNotFound, "account bob@example.org does not exist"},
		{"remove no device", s.RemoveDevice(ctx, domain, "bob"), ErrNotFound, "device bob@example.org does not exist"},
		{"blank in user", s.AddAccount(ctx, Account{Domain: domain, User: "a b"}, "x"), nil, "user holds ' '; use letters, digits and -_.!~*'()+"},
		{"no user", s.AddAccount(ctx, Account{Domain: domain}, "x"), nil, "user is empty; give one"},
		{"long user", s.AddAccount(ctx, Account{Domain: domain, User: long}, "x"), nil, "user is longer than 64 bytes; shorten it"},
		{"line end in name", s.AddAccount(ctx, Account{Domain: domain, User: "c", Name: "a\nb"}, "x"), nil, "name holds a control character; leave it out"},
		{"no secret", s.AddAccount(ctx, Account{Domain: domain, User: "c"}, ""), nil, "secret is empty; give one"},
		{"long secret", s.SetSecret(ctx, domain, "alice", long), nil, "secret is longer than 256 bytes; shorten it"},
	} {
		if c.err == nil || c.err.Error() != c.want || c.is != nil && !errors.Is(c.err, c.is) {
			t.Errorf("%s: %v, want %s", c.name, c.err, c.want)
		}
	}
}

func TestHash(t *testing.T) {
	h := Hash("Mufasa", "http-auth@example.org", "Circle of Life") // RFC 7616 §3.9.1
	for a, want := range map[digest.Algorithm]string{
		digest.MD5:       "3d78807defe7de2157e2b0b6573a855f",
		digest.SHA256:    "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
		digest.SHA512256: hex.EncodeToString(sum512("Mufasa:http-auth@example.org:Circle of Life")),
	} {
		if got := hex.EncodeToString(h.bytes(a)); got != want || h[a-digest.MD5].Hex(a) != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

func sum512(s string) []byte {
	sum := sha512.Sum512_256([]byte(s))
	return sum[:]
}

func TestNewSecret(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if a == b || len(a) != 20 || CheckSecret(a) != nil || strings.ContainsAny(a+b, "lo01") {
		t.Errorf("secrets %q %q", a, b)
	}
}

func TestDirectory(t *testing.T) {
	s, dir := open(t)
	add(t, s, "alice", "bob")
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	other, err := Open(t.Context(), dir) // as another process would
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	look := func(user string) string {
		u, ok := d.Lookup(domain, user)
		if !ok {
			return "none"
		}
		secret := "?"
		for _, s := range []string{"secret of " + user, "new", ""} {
			if u.HA1 == Hash(user, domain, s) {
				secret = s
			}
		}
		return fmt.Sprintf("%s %q %v %s", u.Account, u.Name, u.Device, secret)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
		user string
		want string
		n    int
	}{
		{"at first", func(context.Context) error { return nil }, "alice", `alice "Name of alice" true secret of alice`, 2},
		{"unknown", func(context.Context) error { return nil }, "carol", "none", 2},
		{"add", func(ctx context.Context) error {
			return other.AddAccount(ctx, Account{Domain: domain, User: "carol", Name: "Carol"}, "new")
		}, "carol", `carol "Carol" true new`, 3},
		{"device", func(ctx context.Context) error { return other.AddDevice(ctx, domain, "carol", "carol-2", "new") }, "carol-2", `carol "Carol" true new`, 4},
		{"secret", func(ctx context.Context) error { return other.SetSecret(ctx, domain, "alice", "new") }, "alice", `alice "Name of alice" true new`, 4},
		{"first device gone", func(ctx context.Context) error { return other.RemoveDevice(ctx, domain, "carol") }, "carol", `carol "Carol" false ?`, 4},
		{"first device back", func(ctx context.Context) error { return other.AddDevice(ctx, domain, "carol", "carol", "new") }, "carol", `carol "Carol" true new`, 4},
		{"account gone", func(ctx context.Context) error { return other.RemoveAccount(ctx, domain, "carol") }, "carol-2", "none", 2},
		{"import", func(ctx context.Context) error {
			_, err := other.Import(ctx, domain, strings.NewReader("user,password\ndave,new\n"), nil)
			return err
		}, "dave", `dave "" true new`, 3},
	} {
		if err := step.do(t.Context()); err != nil {
			t.Fatal(step.name, err)
		}
		if _, err := d.Refresh(t.Context()); err != nil {
			t.Fatal(step.name, err)
		}
		if got := look(step.user); got != step.want || d.Len() != step.n {
			t.Errorf("%s: %s (%d users), want %s (%d)", step.name, got, d.Len(), step.want, step.n)
		}
	}
	if n, err := d.Refresh(t.Context()); n != 0 || err != nil {
		t.Errorf("nothing changed, but %d (%v)", n, err)
	}
	if r, ok := d.Realm(domain); !ok || r != domain {
		t.Errorf("realm %q %v", r, ok)
	}
	if _, ok := d.Realm("example.net"); ok {
		t.Error("a foreign domain has a realm")
	}
}

// TestForgottenChanges: a directory that is further behind than the log reaches reads everything again.
func TestForgottenChanges(t *testing.T) {
	s, _ := open(t)
	add(t, s, "alice", "bob")
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	add(t, s, "carol", "dave")
	if _, err := s.db.Exec("DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Refresh(t.Context()); err != nil || d.Len() != 4 {
		t.Errorf("%d users (%v)", d.Len(), err)
	}
}

func TestTable(t *testing.T) {
	table := newTable()
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprint("u", i))
	}
	for round := range 3 {
		alive := 0
		for i, n := range names {
			if (i+round)%3 == 0 {
				table.remove(domain, n)
				table.remove(domain, n)
			} else {
				alive++
				table.put(domain, n, User{Account: n, Name: fmt.Sprint(round)})
			}
		}
		for i, n := range names {
			u, ok := table.get(domain, n)
			if gone := (i+round)%3 == 0; ok == gone || ok && (u.Account != n || u.Name != fmt.Sprint(round)) {
				t.Fatalf("round %d: %s is %+v %v", round, n, u, ok)
			}
		}
		if table.len() != alive {
			t.Errorf("round %d: %d users, want %d", round, table.len(), alive)
		}
	}
}

// TestTableKeepsAll: every text and hash of a user is given back, however long the texts, and a user that is replaced leaves the texts that were taken alone.
func TestTableKeepsAll(t *testing.T) {
	table := newTable()
	long := strings.Repeat("x", 300)
	users := map[string]User{
		"alice": {Account: "alice", Name: "Alice A.", Device: true, HA1: Hash("alice", domain, "secret")},
		"phone": {Account: "alice", Name: "Alice A.", Device: true, HA1: Hash("phone", domain, "other")},
		"bob":   {Account: "bob"},
		"long":  {Account: "a" + long[:254], Name: long[:255], Device: true, HA1: Hash("long", domain, "")},
	}
	for user, u := range users {
		table.put(domain, user, u)
	}
	for user, want := range users {
		if got, ok := table.get(domain, user); !ok || got != want {
			t.Errorf("%s: %+v %v, want %+v", user, got, ok, want)
		}
		if r := table.find(domain, user); r.account() != want.Account || r.ha1(digest.SHA512256) != want.HA1[digest.SHA512256-digest.MD5] {
			t.Errorf("%s: account %s, or another hash", user, r.account())
		}
	}
	alice, _ := table.get(domain, "alice")
	for i := range 100 {
		table.put(domain, "alice", User{Account: "alice", Name: fmt.Sprint("Bob", i)})
	}
	if alice.Name != "Alice A." {
		t.Errorf("a name that was taken has become %q", alice.Name)
	}
	if _, ok := table.get("other.example", "alice"); ok || table.garbage == 0 {
		t.Errorf("found in another domain %v, %d bytes of garbage", ok, table.garbage)
	}
}

// TestLookupAllocatesNothing: not for the account, and not for the hash.
func TestLookupAllocatesNothing(t *testing.T) {
	s, _ := open(t)
	add(t, s, "alice")
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if account, ok := d.Account(domain, "alice"); !ok || account != "alice" {
			t.Fatal(account)
		}
		if _, ok := d.HA1(domain, "alice", digest.SHA256); !ok {
			t.Fatal("no hash")
		}
		if _, ok := d.Account(domain, "nobody"); ok {
			t.Fatal("nobody is known")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLockFolder(t *testing.T) {
	dir := t.TempDir()
	l, err := LockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockFolder(dir); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("(process %d)", os.Getpid())) {
		t.Errorf("second lock: %v", err)
	}
	l.Release()
	if l, err = LockFolder(dir); err != nil {
		t.Fatal(err)
	}
	l.Release()
}

// TestKill9 runs itself as a process that adds accounts and is killed: every account it reported is there afterwards.
func TestKill9(t *testing.T) {
	if dir := os.Getenv("STORE_KILL9"); dir != "" {
		s, err := Open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			user := fmt.Sprint("u", i)
			if err := s.AddAccount(context.Background(), Account{Domain: domain, User: user}, "x"); err != nil {
				t.Fatal(err)
			}
			fmt.Println("added", user)
		}
	}
	s, dir := open(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKill9$")
	cmd.Env = append(os.Environ(), "STORE_KILL9="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reported []string
	for {
		var user string
		if _, err := fmt.Fscanf(out, "added %s\n", &user); err != nil {
			break
		}
		if reported = append(reported, user); len(reported) == 20 {
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	if len(reported) < 20 {
		t.Fatalf("only %d accounts were added", len(reported))
	}
	var kept []string
	for a, err := range s.Accounts(t.Context(), domain) {
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, a.User)
	}
	for _, u := range reported {
		if !slices.Contains(kept, u) {
			t.Errorf("%s was reported and is lost", u)
		}
	}
}
