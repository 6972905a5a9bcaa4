package registrar

import (
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// openOffice opens a registrar on a folder and closes it when the test ends.
func openOffice(t testing.TB, folder string) *office {
	t.Helper()
	o := newOffice()
	o.Journal = folder
	if err := o.Open(); err != nil {
		t.Fatal(err)
	}
	return o
}

func closeOffice(t testing.TB, o *office) {
	t.Helper()
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
}

// state returns the contacts of alice and of a few others.
func (o *office) state() string {
	var b strings.Builder
	for _, user := range []string{"alice", "bob", "u1", "u2"} {
		for _, v := range o.Lookup(sip.URI{Scheme: "sip", User: user, Host: "example.org"}) {
			fmt.Fprintln(&b, user, v)
		}
	}
	return b.String()
}

func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := filepath.Join(t.TempDir(), "bindings")
		o := openOffice(t, folder)
		o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>", "Path: <sip:p;lr>", "User-Agent: x"}, transport: sip.TCP})
		o.send(t, call{headers: []string{"Contact: <sip:b@192.0.2.1>;q=0.3"}})
		o.send(t, call{user: "bob", to: "sip:bob@example.org", headers: []string{"Contact: <sip:b@192.0.2.1>"}})
		o.send(t, call{user: "bob", to: "sip:bob@example.org", headers: []string{"Contact: *", "Expires: 0"}})
		want := o.state()
		closeOffice(t, o)
		for range 2 {
			o = openOffice(t, folder)
			if got := o.state(); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if c := o.Counts(); c.AORs != 1 || c.Bindings != 2 {
				t.Errorf("%+v", c)
			}
			closeOffice(t, o)
		}
	})
}

// TestTorn cuts and damages the log at every place of its last record.
func TestTorn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		o := openOffice(t, folder)
		o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>"}})
		before := o.state()
		if err := o.journal.flush(); err != nil {
			t.Fatal(err)
		}
		good := o.journal.size
		o.send(t, call{headers: []string{"Contact: <sip:b@192.0.2.1>"}})
		closeOffice(t, o)
		name := o.journal.folder.log(1)
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, content []byte) {
			t.Helper()
			if err := os.WriteFile(name, content, 0o600); err != nil {
				t.Fatal(err)
			}
			o := openOffice(t, folder)
			if got := o.state(); got != before || o.journal.size != good {
				t.Errorf("%s: %d bytes are taken for good, want %d; bindings\n%s", what, o.journal.size, good, got)
			}
			// What is written after the cut is read again.
			o.send(t, call{cseq: 9, headers: []string{"Contact: <sip:c@192.0.2.1>"}})
			after := o.state()
			closeOffice(t, o)
			again := openOffice(t, folder)
			if got := again.state(); got != after {
				t.Errorf("%s: after the next restart\n%s\nwant\n%s", what, got, after)
			}
			closeOffice(t, again)
		}
		for cut := good; cut < int64(len(whole)); cut += 7 {
			check(fmt.Sprint("cut at ", cut), whole[:cut])
		}
		for at := good + 4; at < int64(len(whole)); at += 11 {
			damaged := slices.Clone(whole)
			damaged[at] ^= 0x10
			check(fmt.Sprint("damaged at ", at), damaged)
		}
		check("a length beyond the limit", append(slices.Clone(whole[:good]), 255, 255, 255, 255, 0, 0, 0, 0, 1))
		if err := os.WriteFile(name, whole[:5], 0o600); err != nil {
			t.Fatal(err)
		}
		o = openOffice(t, folder)
		if o.state() != "" || o.journal.size != int64(headerSize) {
			t.Errorf("a cut header: size %d", o.journal.size)
		}
		closeOffice(t, o)
	})
}

func TestForeignFile(t *testing.T) {
	for _, content := range []string{"something that is no journal at all", fileHeader + "\x02\x00\x00\x00"} {
		folder := t.TempDir()
		if err := os.WriteFile(folderOf(folder).log(1), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		o := newOffice()
		o.Journal = folder
		if err := o.Open(); err == nil {
			t.Errorf("%q was opened", content)
		}
		if got, _ := os.ReadFile(folderOf(folder).log(1)); string(got) != content {
			t.Errorf("%q was changed to %q", content, got)
		}
	}
}

func folderOf(name string) folder { return folder(name) }

// TestCompact makes snapshots while others write, and reads what is left.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	o := openOffice(t, dir)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			mine := &office{Registrar: o.Registrar}
			for i := range 300 {
				user := fmt.Sprintf("u%d", (i*7+w)%40)
				mine.send(t, call{user: user, to: "sip:" + user + "@example.org", callID: fmt.Sprint(w), headers: []string{fmt.Sprintf("Contact: <sip:%d@192.0.2.%d>", i%2, w)}})
			}
		})
	}
	for range 5 {
		if err := compactNow(o); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	if c := o.Counts(); c.Refused != 0 {
		t.Errorf("refused: %+v", c)
	}
	counts, want := o.Counts(), o.state()
	closeOffice(t, o)
	names, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(names) != 2 {
		t.Errorf("files: %q", names)
	}
	o = openOffice(t, dir)
	if got := o.Counts(); got != counts || o.state() != want {
		t.Errorf("read %+v, want %+v", got, counts)
	}
	closeOffice(t, o)
}

// compactNow makes a snapshot although little was written.
func compactNow(o *office) error {
	j := o.journal
	j.writing.Lock()
	j.grown = compactAfter + 2*j.base + 1
	j.writing.Unlock()
	return j.compact(o.table.snapshots())
}

// TestDeadDuringCompaction leaves the files that a process leaves which dies between two steps.
func TestDeadDuringCompaction(t *testing.T) {
	dir := t.TempDir()
	o := openOffice(t, dir)
	o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>"}})
	if _, err := o.journal.nextLog(); err != nil {
		t.Fatal(err)
	}
	o.send(t, call{headers: []string{"Contact: <sip:b@192.0.2.1>"}})
	want := o.state()
	closeOffice(t, o)
	if err := os.WriteFile(folderOf(dir).scratch(), []byte("half a snapshot"), 0o600); err != nil {
		t.Fatal(err)
	}
	o = openOffice(t, dir) // two logs, no snapshot
	if got := o.state(); got != want {
		t.Errorf("before the snapshot\n%s", got)
	}
	if _, err := o.journal.nextLog(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.journal.writeSnapshot(o.journal.number, o.table.snapshots()); err != nil {
		t.Fatal(err)
	}
	closeOffice(t, o)
	o = openOffice(t, dir) // a snapshot, and logs that it has replaced
	if got := o.state(); got != want || o.Counts().Bindings != 2 {
		t.Errorf("before the removal\n%s", got)
	}
	closeOffice(t, o)
}

// setFile exchanges the log under the journal.
func (j *journal) setFile(t *testing.T, open func(name string) (*os.File, error)) {
	t.Helper()
	file, err := open(j.folder.log(1))
	if err != nil {
		t.Fatal(err)
	}
	j.writing.Lock()
	j.mu.Lock()
	old := j.file
	j.file = file
	j.mu.Unlock()
	j.writing.Unlock()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
}

func writable(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR, 0) }

// unstaged is a journal as it is where no stage can be made.
func unstaged(o *office) *journal {
	j := o.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stage, j.pending, j.reserved = nil, nil, 0
	j.staged.Store(false)
	return j
}

// TestFailedWrite takes the disk away from a journal without stage: nothing is confirmed until it is back.
func TestFailedWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, t.TempDir())
		o.Batched = true
		j := unstaged(o)
		j.setFile(t, os.Open)
		o.send(t, with(contactA))
		if o.answer.Status != 503 || o.answer.Get(sip.HeaderRetryAfter) == "" {
			t.Errorf("no room can be reserved: %d", o.answer.Status)
		}
		j.setFile(t, writable)
		if res := o.send(t, with(contactA)); res.Status != 200 {
			t.Errorf("the disk is back: %d", res.Status)
		}
		j.setFile(t, os.Open)
		if o.Barrier() == nil {
			t.Error("a batch may leave that is not written")
		}
		o.cseq--
		if res := o.send(t, with(contactA)); res.Status != 503 {
			t.Errorf("a copy of what could not be written: %d", res.Status)
		}
		if res := o.send(t, with(contactB)); res.Status != 503 {
			t.Errorf("after a failed write: %d", res.Status)
		}
		j.setFile(t, writable)
		if err := j.flush(); err != nil {
			t.Fatal(err)
		}
		checkAgain(t, o)
	})
}

// checkAgain closes the office, opens it again and finds the same bindings.
func checkAgain(t *testing.T, o *office) {
	t.Helper()
	want := o.state()
	closeOffice(t, o)
	o = openOffice(t, o.Journal)
	if got := o.state(); got != want {
		t.Errorf("read\n%s\nwant\n%s", got, want)
	}
	closeOffice(t, o)
}

// TestFailedStage takes the disk away from a journal with a stage: what was confirmed is kept, and nothing more is confirmed until the disk is back.
func TestFailedStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, t.TempDir())
		o.Batched = true
		j := o.journal
		if j.stage == nil {
			t.Skip("this system makes no stage")
		}
		j.setFile(t, os.Open)
		if res := o.send(t, with(contactA)); res.Status != 200 || o.Barrier() != nil {
			t.Errorf("a change that survives the process: %d", res.Status)
		}
		if j.flush() == nil {
			t.Fatal("a file that cannot be written was")
		}
		for _, c := range []call{with(contactA), with(contactB)} {
			if res := o.send(t, c); res.Status != 503 || o.Barrier() == nil {
				t.Errorf("after a failed write: %d", res.Status)
			}
		}
		if got, err := readStage(j.folder.stage()); err != nil || !strings.Contains(string(got), "sip:a@192.0.2.1") {
			t.Errorf("the stage has lost something: %d bytes, %v", len(got), err)
		}
		j.setFile(t, writable)
		if err := j.flush(); err != nil {
			t.Fatal(err)
		}
		if res := o.send(t, with("Contact: <sip:c@192.0.2.1>")); res.Status != 200 || !j.staged.Load() {
			t.Errorf("the disk is back: %d", res.Status)
		}
		checkAgain(t, o)
	})
}

// TestFullStage: who comes while the stage is full and the disk takes nothing gets 503, and what was accepted is written later.
func TestFullStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, t.TempDir())
		j := o.journal
		if j.stage == nil {
			t.Skip("this system makes no stage")
		}
		j.writing.Lock() // nobody writes
		j.mu.Lock()
		j.reserved = 1 << 40
		j.mu.Unlock()
		n, long := 0, strings.Repeat("x", maxContact-100)
		for n < 10_000 && o.send(t, with("Contact: <sip:"+long+"@192.0.2.1>")).Status == 200 {
			n++
		}
		if o.answer.Status != 503 || n < 3000 {
			t.Errorf("%d after %d changes", o.answer.Status, n)
		}
		j.writing.Unlock()
		if err := j.flush(); err != nil {
			t.Fatal(err)
		}
		if res := o.send(t, with(contactB)); res.Status != 200 {
			t.Errorf("the stage is empty: %d", res.Status)
		}
		checkAgain(t, o)
	})
}

// TestSnapshotLetsTheLogGoOn: while a long snapshot is written, what is accepted goes to the disk.
func TestSnapshotLetsTheLogGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, t.TempDir())
		defer closeOffice(t, o)
		j := o.journal
		if j.stage == nil {
			t.Skip("this system makes no stage")
		}
		o.stop() // nobody else writes
		o.running.Wait()
		number, err := j.nextLog()
		if err != nil {
			t.Fatal(err)
		}
		piece := make([]byte, snapshotPiece)
		long, refused := strings.Repeat("x", maxContact-100), 0
		_, err = j.writeSnapshot(number, func(yield func([]byte) bool) {
			for range 20 { // five times what the stage holds
				for range stageHalf / 4 / maxContact {
					if o.send(t, with("Contact: <sip:"+long+"@192.0.2.1>")).Status != 200 {
						refused++
					}
				}
				if !yield(piece) {
					return
				}
			}
		})
		if err != nil || refused > 0 {
			t.Errorf("%d refused, %v", refused, err)
		}
	})
}

// TestStageLeft: what a process leaves in the stage is read, in the order in which it came; of another life of the machine, or torn, it is not.
func TestStageLeft(t *testing.T) {
	life, err := machineLife()
	if err != nil {
		t.Skip("this system makes no stage")
	}
	frame := func(contact string) []byte {
		b := sample()[1]
		b.Contact, b.Expires = contact, time.Now().Add(time.Hour)
		return appendFrame(nil, []byte("sip:alice@example.org"), appendBindings(nil, []Binding{b}))
	}
	old, young := frame("<sip:old@192.0.2.1>"), frame("<sip:young@192.0.2.1>")
	torn := append(slices.Clone(old), young[:len(young)-1]...)
	for _, tt := range []struct {
		name          string
		life          string
		first, second []byte
		turns         [2]uint64
		want          string
	}{
		{"nothing", string(life), nil, nil, [2]uint64{1, 0}, ""},
		{"one half", string(life), old, nil, [2]uint64{1, 0}, "<sip:old@192.0.2.1>"},
		{"both in order", string(life), old, young, [2]uint64{6, 7}, "<sip:young@192.0.2.1>"},
		{"both the other way round", string(life), young, old, [2]uint64{9, 8}, "<sip:young@192.0.2.1>"},
		{"torn", string(life), torn, nil, [2]uint64{1, 0}, "<sip:old@192.0.2.1>"},
		{"another life", "another", old, young, [2]uint64{6, 7}, ""},
	} {
		dir := t.TempDir()
		file := make([]byte, 2*stageHalf)
		for i, frames := range [][]byte{tt.first, tt.second} {
			half := file[i*stageHalf:]
			copy(half, tt.life)
			binary.LittleEndian.PutUint64(half[stageLife:], tt.turns[i])
			binary.LittleEndian.PutUint64(half[stageLife+8:], uint64(len(frames)))
			copy(half[stageHead:], frames)
		}
		if err := os.WriteFile(folderOf(dir).stage(), file, 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			o := openOffice(t, dir)
			got := ""
			if b := o.Lookup(alice); len(b) > 0 {
				got = b[0].Contact
			}
			if got != tt.want {
				t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
			}
			closeOffice(t, o)
		}
	}
}

func BenchmarkRegister(b *testing.B) {
	for _, batched := range []bool{false, true} {
		b.Run(fmt.Sprint("batched=", batched), func(b *testing.B) {
			o := newOffice()
			o.Journal, o.Batched, o.Log = b.TempDir(), batched, slog.New(slog.NewTextHandler(io.Discard, nil))
			if err := o.Open(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				user := fmt.Sprint("u", i%10000)
				o.send(b, call{user: user, to: "sip:" + user + "@example.org", headers: []string{"Contact: <sip:x@192.0.2.1>"}})
				if i%32 == 0 {
					if err := o.Barrier(); err != nil {
						b.Fatal(err)
					}
				}
			}
			if err := o.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
