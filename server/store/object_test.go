package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/sipwerk/sipwerk/server/object"
)

// put adds objects.
func put(t *testing.T, s *Store, objects ...object.Object) []ObjectChange {
	t.Helper()
	changes, err := s.Edit(t.Context(), domain, func(set *object.Settings) error {
		for _, o := range objects {
			set.Put(o)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func group(number string, members ...string) *object.Group {
	g := object.KindNamed("group").Named(number).(*object.Group)
	g.Members = members
	return g
}

// TestEdit: what differs is written, all of it or nothing, and another process sees it.
func TestEdit(t *testing.T) {
	s, dir := open(t)
	add(t, s, "200", "201")
	mailbox := object.KindNamed("mailbox").Named("200").(*object.Mailbox)
	if got := put(t, s, group("600", "200", "201"), mailbox); len(got) != 2 || got[1].Kind.Name != "group" || got[1].Before != nil || got[1].After == nil {
		t.Errorf("%+v", got)
	}
	if got := put(t, s, group("600", "200", "201")); len(got) != 0 {
		t.Errorf("the same again is a change: %+v", got)
	}
	if got := put(t, s, group("600", "201")); len(got) != 1 || len(got[0].Before.(*object.Group).Members) != 2 || len(got[0].After.(*object.Group).Members) != 1 {
		t.Errorf("%+v", got)
	}
	failed := errors.New("no")
	if _, err := s.Edit(t.Context(), domain, func(set *object.Settings) error { clear(set.Groups); return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	s.Close()
	s, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	set, err := s.Settings(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	want := &object.Settings{Domain: domain, Groups: map[string]*object.Group{"600": group("600", "201")}, Mailboxes: map[string]*object.Mailbox{"200": mailbox}}
	if diff := cmp.Diff(want, set); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.Edit(t.Context(), "example.net", func(*object.Settings) error { return nil }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

// TestEditRefuses: what does not fit to what is there, and what something else needs.
func TestEditRefuses(t *testing.T) {
	s, _ := open(t)
	add(t, s, "200", "201")
	put(t, s, object.KindNamed("room").Named("4000"), group("600", "200"), group("601", "600"))
	otherwise := func(target string) object.Object {
		g := group("602", "200")
		g.Otherwise = target
		return g
	}
	for _, c := range []struct {
		o    object.Object
		want string
	}{
		{group("200", "201"), "group 200: number: 200 is taken by the account of this number; choose another"},
		{group("4000", "201"), "group 4000: number: 4000 is taken by the room of this number; choose another"},
		{object.KindNamed("page").Named("600"), "page 600: number: 600 is taken by the group of this number; choose another"},
		{group("602", "299"), "group 602: members: nobody has the number 299; name an account, a group, a queue, a menu, a page or a room, or write a number of the outside in full"},
		{otherwise("voicemail:200"), "group 602: otherwise: there is no mailbox of 200; add it with `sipwerk mailbox add 200`, or name another target"},
		{otherwise("hours:office?open=600"), "group 602: otherwise: there are no hours office; add them with `sipwerk hours add office`, or name others"},
		{object.KindNamed("mailbox").Named("299"), "mailbox 299: user: there is no account 299; add it with `sipwerk account add 299`, or name another"},
		{&object.Recording{Name: "r", Direction: "in", Announce: "beep", Trunk: "line"}, "recording r: trunk: there is no trunk line; add it with `sipwerk trunk add line`, or name another"},
	} {
		_, err := s.Edit(t.Context(), domain, func(set *object.Settings) error { set.Put(c.o); return nil })
		if err == nil || err.Error() != c.want {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
	for _, target := range []string{"4000", "+493012", "*43", "0301234", "201", "voicemail", "hangup"} {
		if _, err := s.Edit(t.Context(), domain, func(set *object.Settings) error { set.Put(otherwise(target)); return nil }); err != nil {
			t.Error(target, err)
		}
	}
	if _, err := s.Edit(t.Context(), domain, func(set *object.Settings) error { delete(set.Groups, "600"); return nil }); err == nil || !strings.Contains(err.Error(), "group 601: members: nobody has the number 600") {
		t.Errorf("a group that another needs: %v", err)
	}
	if err := s.AddAccount(t.Context(), Account{Domain: domain, User: "600"}, "x"); !errors.Is(err, ErrExists) {
		t.Errorf("an account called like a group: %v", err)
	}
	if err := s.RemoveAccount(t.Context(), domain, "200"); !errors.Is(err, ErrNeeded) || !strings.Contains(err.Error(), "group 600: members") {
		t.Errorf("an account that a group needs: %v", err)
	}
	if _, err := s.Import(t.Context(), domain, strings.NewReader("user,password\n600,x\n4000,x\n"), nil); err == nil || strings.Count(err.Error(), "exists already") != 2 {
		t.Errorf("import of numbers that are taken: %v", err)
	}
}

// TestChangeAccount: somebody sets a forward at a telephone; what it refers to is looked at, and what is as before writes nothing.
func TestChangeAccount(t *testing.T) {
	s, _ := open(t)
	add(t, s, "200", "201")
	plan := object.KindNamed("dialplan").New().(*object.Plan)
	plan.OutsidePrefix = "9"
	put(t, s, group("600", "200"), object.KindNamed("mailbox").Named("201"), object.KindNamed("hours").Named("office"), plan)
	forward := func(target string) error {
		return s.ChangeAccount(t.Context(), domain, "200", func(a *object.Account) error { a.ForwardAlways = target; return nil })
	}
	for _, target := range []string{"600", "201", "voicemail:201", "voicemail", "hours:office?open=600&closed=voicemail:201", "9123", "600", ""} {
		if err := forward(target); err != nil {
			t.Error(target, err)
		}
		set, err := s.Settings(t.Context(), domain)
		if a, ok := set.Account("200"); err != nil || a.ForwardAlways != target || ok != (target != "") || len(set.Groups) != 1 || set.Plan.OutsidePrefix != "9" {
			t.Errorf("%s: %+v %v", target, a, err)
		}
	}
	seq, err := s.lastChange(t.Context())
	if err == nil {
		err = forward("")
	}
	if after, err2 := s.lastChange(t.Context()); err != nil || err2 != nil || after != seq {
		t.Error("nothing is a change", err, err2)
	}
	failed := errors.New("no")
	for _, err := range []error{
		forward("299"), forward("voicemail:200"), forward("hours:office?open=299"), forward("no target"),
		s.ChangeAccount(t.Context(), domain, "299", func(a *object.Account) error { a.DND = true; return nil }),
		s.ChangeAccount(t.Context(), "example.net", "200", func(*object.Account) error { return nil }),
		s.ChangeAccount(t.Context(), domain, "200", func(*object.Account) error { return failed }),
	} {
		if err == nil {
			t.Error("it is taken")
		}
	}
}

// TestForget: with an account go its settings.
func TestForget(t *testing.T) {
	s, _ := open(t)
	add(t, s, "200")
	if err := s.ChangeAccount(t.Context(), domain, "200", func(a *object.Account) error { a.ForwardBusy = "voicemail"; return nil }); err != nil {
		t.Fatal(err)
	}
	put(t, s, object.KindNamed("mailbox").Named("200"))
	if err := s.RemoveAccount(t.Context(), domain, "200"); err != nil {
		t.Fatal(err)
	}
	if set, err := s.Settings(t.Context(), domain); err != nil || len(set.Accounts)+len(set.Mailboxes) != 0 {
		t.Errorf("%+v %v", set, err)
	}
	if err := s.ChangeAccount(t.Context(), domain, "200", func(a *object.Account) error { a.DND = true; return nil }); err == nil || !strings.Contains(err.Error(), "there is no account 200") {
		t.Error(err)
	}
}

// TestSnapshot: what the directory hands out never changes, is seen as a whole, and who watches is told.
func TestSnapshot(t *testing.T) {
	s, dir := open(t)
	add(t, s, "200")
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	var told []*object.Settings
	d.Watch(func(set *object.Settings) { told = append(told, set) })
	first := d.Settings(domain)
	if len(told) != 1 || told[0] != first || len(d.Settings("example.net").Groups) != 0 {
		t.Errorf("told %v", told)
	}
	other, err := Open(t.Context(), dir) // another process
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	put(t, other, group("600", "200"), group("601", "600"))
	refresh := func() *object.Settings {
		t.Helper()
		if _, err := d.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return d.Settings(domain)
	}
	second := refresh()
	if len(first.Groups) != 0 || len(second.Groups) != 2 || second.Version <= first.Version || len(told) != 2 || told[1] != second {
		t.Errorf("%+v, then %+v; told %d times", first, second, len(told))
	}
	if again := refresh(); again != second || len(told) != 2 {
		t.Error("without a change the settings are others")
	}
	if err := other.AddDevice(t.Context(), domain, "200", "200-desk", "x"); err != nil {
		t.Fatal(err)
	}
	if refresh() != second {
		t.Error("a change of a device made others settings")
	}
	if _, err := other.Edit(t.Context(), domain, func(set *object.Settings) error { clear(set.Groups); return nil }); err != nil {
		t.Fatal(err)
	}
	if third := refresh(); len(third.Groups) != 0 || len(second.Groups) != 2 {
		t.Errorf("%+v", third)
	}
	if err := other.change(t.Context(), func(tx *transaction) error { tx.noteAll(); return nil }); err != nil {
		t.Fatal(err)
	}
	before := d.Settings(domain)
	if refresh() != before {
		t.Error("everything was read again, and what is as before is others")
	}
	put(t, other, group("602", "200"))
	if err := other.change(t.Context(), func(tx *transaction) error { tx.noteAll(); return nil }); err != nil {
		t.Fatal(err)
	}
	if all := refresh(); len(all.Groups) != 1 || all.Version <= before.Version {
		t.Errorf("after everything was read again: %+v", all)
	}
}

// TestSecrets: a sealed secret is read with the key of its folder and no other.
func TestSecrets(t *testing.T) {
	s, dir := open(t)
	sealed := s.Seal("open sesame")
	if strings.Contains(string(sealed), "sesame") || sealed == s.Seal("open sesame") || s.Seal("") != "" {
		t.Errorf("sealed %s", sealed)
	}
	if st, err := os.Stat(filepath.Join(dir, secretsFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
	again, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got, err := again.Reveal(sealed); got != "open sesame" || err != nil {
		t.Error(got, err)
	}
	if got, err := again.Reveal(""); got != "" || err != nil {
		t.Error(got, err)
	}
	other, _ := open(t)
	for _, bad := range []object.Secret{sealed, "x", sealed[:20], sealed + "AAAA"} {
		st := again
		if bad == sealed {
			st = other
		}
		if got, err := st.Reveal(bad); err == nil || got != "" {
			t.Errorf("%s is %q", bad, got)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, secretsFile), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "5 bytes, not 32") {
		t.Error(err)
	}
}

// TestRoomsBecomeObjects: a room that was kept in a table of its own is an object as it was.
func TestRoomsBecomeObjects(t *testing.T) {
	s, _ := open(t)
	steps, err := goose.NewProvider(goose.DialectSQLite3, s.db, os.DirFS("migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := steps.DownTo(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.ExecContext(t.Context(), `INSERT INTO rooms VALUES ($1, '4000', $2, 'hash', '', 'alice,bob', 7, 1, 0, 1, 0, 1, 1000), ($1, 'board', '', '', 'other', '', 0, 0, 1, 0, 1, 0, 1000)`,
		domain, `The "big" \ room`); err != nil {
		t.Fatal(err)
	}
	if _, err := steps.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	set, err := s.Settings(t.Context(), domain)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*object.Room{
		"4000":  {Number: "4000", Title: `The "big" \ room`, PIN: "hash", Owners: []string{"alice", "bob"}, MaxMembers: 7, WaitForModerator: true, Quiet: true, Factory: true},
		"board": {Number: "board", ModeratorPIN: "other", MuteOnEntry: true, Record: true},
	}
	if diff := cmp.Diff(want, set.Rooms); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestSetName: a new name is shown with every device and number.
func TestSetName(t *testing.T) {
	s, _ := open(t)
	add(t, s, "200")
	if err := errors.Join(s.AddDevice(t.Context(), domain, "200", "200-desk", "x"), s.AddNumbers(t.Context(), domain, "200", []string{"+4930123"})); err != nil {
		t.Fatal(err)
	}
	d, err := NewDirectory(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetName(t.Context(), domain, "200", "Alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"200", "200-desk", "+4930123"} {
		if u, ok := d.Lookup(domain, user); !ok || u.Name != "Alice" || u.Device != (user != "+4930123") {
			t.Errorf("%s: %+v", user, u)
		}
	}
	if err := s.SetName(t.Context(), domain, "200", "a\nb"); err == nil {
		t.Error("a name of two lines is taken")
	}
	if err := s.SetName(t.Context(), domain, "299", "Bob"); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}
