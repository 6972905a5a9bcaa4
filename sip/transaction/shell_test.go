// The parts around the machines: names, timers, buffers, lanes.

package transaction

import (
	"container/heap"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

func TestBranch(t *testing.T) {
	for _, c := range []struct {
		node  uint16
		tx    sip.TransactionID
		nonce uint64
	}{{0, 1, 0}, {1023, 1<<64 - 1, 1<<64 - 1}, {7, 0x0123456789abcdef, 42}} {
		b := string(appendBranch(nil, c.node, c.tx, c.nonce))
		tx, nonce, ok := parseBranch(b, c.node)
		if !ok || tx != c.tx || nonce != c.nonce {
			t.Errorf("%s: %x %x %v", b, tx, nonce, ok)
		}
		if _, _, ok := parseBranch(b, c.node^1); ok {
			t.Errorf("%s is taken for a branch of another node", b)
		}
		for i := range b {
			if _, _, ok := parseBranch(b[:i], c.node); ok {
				t.Errorf("prefix %q is taken for a branch", b[:i])
			}
		}
	}
}

func FuzzBranch(f *testing.F) {
	f.Add(string(appendBranch(nil, 1, 2, 3)))
	f.Add(sip.MagicCookie)
	f.Fuzz(func(t *testing.T, s string) {
		tx, nonce, ok := parseBranch(s, 1)
		if !ok {
			return
		}
		// The first digit of a number holds four bits; others that say the same are no branch of ours, but harmless.
		if tx2, nonce2, ok := parseBranch(string(appendBranch(nil, 1, tx, nonce)), 1); !ok || tx2 != tx || nonce2 != nonce {
			t.Errorf("%q is %x %x, printed and parsed %x %x", s, tx, nonce, tx2, nonce2)
		}
	})
}

// Whatever parses may come: no message makes the engine fall over.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{
		"INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a:5060;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
		"CANCEL sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a:5060;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 CANCEL\r\n\r\n",
		"ACK sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a:5060\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n\r\n",
		"OPTIONS tel:1 SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nFrom: sip:a@h\r\nTo: sip:b@h\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a:5060;branch=z9hG4bK00-" + strings.Repeat("0", 26) + "\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n",
	} {
		f.Add(seed)
	}
	table := &Table{Wire: new(sink), Log: slog.New(slog.DiscardHandler), Timers: Timers{T1: time.Millisecond, T2: time.Millisecond, T4: time.Millisecond}}
	table.Handler = sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest && ev.Request.Method != sip.MethodInvite {
			table.Respond(ev.Tx, ev.Request.Reply(sip.StatusOK))
		}
	})
	if err := table.Open(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(table.Close)
	f.Fuzz(func(t *testing.T, s string) {
		p := &transport.Packet{Flow: flowToPeer()}
		if sip.IsResponse([]byte(s)) {
			p.Response = new(sip.Response)
			if p.Response.Parse([]byte(s)) != nil || p.Response.Validate() != nil {
				return
			}
		} else {
			p.Request = new(sip.Request)
			if p.Request.Parse([]byte(s)) != nil || p.Request.Validate() != nil {
				return
			}
		}
		table.Receive(p)
		if n := table.Stats().Panics; n > 0 {
			t.Errorf("%d panics", n)
		}
	})
}

func TestID(t *testing.T) {
	r := &row{slot: maxSlots - 1, generation: 1<<32 - 1}
	s, slot, generation := splitID(makeID(sip.Stripes-1, r))
	if s != sip.Stripes-1 || slot != r.slot || generation != r.generation {
		t.Errorf("got %d %d %d", s, slot, generation)
	}
}

// The wheel against a sorted list.
func TestWheel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	durations := []time.Duration{1, 2, 4, 8, 64}
	var w wheel
	timers := make([]pending, 50)
	rows := make([]row, len(timers))
	due := make(map[int]time.Duration)
	for i := range timers {
		timers[i].row = &rows[i]
		rows[i].slot = uint32(i)
	}
	now := time.Duration(1)
	for range 20000 {
		i := random.IntN(len(timers))
		switch random.IntN(4) {
		case 0:
			w.stop(&timers[i])
			delete(due, i)
		case 1, 2:
			d := durations[random.IntN(len(durations))]
			w.start(&timers[i], timerA, now, d)
			due[i] = now + d
		case 3:
			now += time.Duration(random.IntN(4))
			for p, _ := w.expired(now); p != nil; p, _ = w.expired(now) {
				j := int(p.row.slot)
				if due[j] != p.due || p.due > now {
					t.Fatalf("timer %d fired at %d, was due %d", j, now, due[j])
				}
				delete(due, j)
			}
			checkNext(t, &w, due, now)
		}
	}
}

func checkNext(t *testing.T, w *wheel, due map[int]time.Duration, now time.Duration) {
	var all []time.Duration
	for _, d := range due {
		all = append(all, d)
	}
	next, ok := w.next()
	switch {
	case ok != (len(all) > 0):
		t.Fatalf("at %d: next is %v %v with %d timers", now, next, ok, len(all))
	case ok && next != slices.Min(all):
		t.Fatalf("at %d: next is %d, want %d", now, next, slices.Min(all))
	}
}

func TestOrders(t *testing.T) {
	var w wheel
	s := &stripe{}
	var ran []int
	for i, due := range []time.Duration{5, 1, 3, 1} {
		heap.Push(&w.orders, &order{stripe: s, run: func() { ran = append(ran, i) }, due: due, number: uint64(i)})
	}
	for _, o := w.expired(4); o != nil; _, o = w.expired(4) {
		o.run()
	}
	if !slices.Equal(ran, []int{1, 3, 2}) {
		t.Errorf("ran %v", ran)
	}
}

func TestBuffers(t *testing.T) {
	var pool buffers
	for _, n := range []int{0, 1, 511, 512, 513, 4096, 65535, 65536, 65537, 1 << 20} {
		b := []byte(strings.Repeat("x", n))
		buf := pool.copyOf(b)
		if string(buf.b) != string(b) {
			t.Errorf("%d bytes became %d", n, len(buf.b))
		}
		if n > 0 {
			b[0] = 'y'
			if buf.b[0] != 'x' {
				t.Errorf("%d bytes are shared", n)
			}
		}
		pool.put(buf)
	}
}

// Whoever brings a job runs it or leaves it: all run, one at a time, and none is lost.
func TestLane(t *testing.T) {
	table := &Table{Wire: new(sink)}
	if err := table.Open(); err != nil {
		t.Fatal(err)
	}
	var inside atomic.Int32
	count := 0 // owned by the stripe
	var callers, jobs sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 1000 {
				jobs.Add(1)
				table.Do(7, func() {
					if inside.Add(1) != 1 {
						t.Error("two at once")
					}
					count++
					inside.Add(-1)
					jobs.Done()
				})
			}
		})
	}
	callers.Wait()
	jobs.Wait()
	if count != 8000 {
		t.Errorf("%d ran", count)
	}
	table.Close()
	table.Do(7, func() { t.Error("ran after Close") })
	if got := table.Audit(); got != (Audit{}) {
		t.Errorf("left: %+v", got)
	}
}

// The alarm sleeps until the next deadline and is stopped when there is none: in a bubble, time does not move for it.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := &Table{Wire: new(sink)}
		if err := table.Open(); err != nil {
			t.Fatal(err)
		}
		s := &table.stripes[0]
		var far sip.Timer
		ticks := 0
		table.Do(0, func() {
			far = table.After(0, time.Hour, func() { ticks++ })
			table.After(0, time.Second, func() { ticks++ })
		})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if ticks != 1 || s.armed != time.Hour {
			t.Errorf("%d ticks, armed for %v", ticks, s.armed)
		}
		table.Do(0, func() { far.Stop() })
		synctest.Wait()
		if s.armed != 0 {
			t.Errorf("armed for %v with nothing to wait for", s.armed)
		}
		table.Close()
	})
}

// Fingerprints: what RFC 3261 §17.2.3 calls the same is the same, and nothing else.
func TestMatchKey(t *testing.T) {
	table := &Table{Wire: new(sink)}
	if err := table.Open(); err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	const base = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a:5060;branch=z9hG4bKx\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"
	old := strings.Replace(base, "z9hG4bKx", "x", 1)
	key := func(raw string) fingerprint {
		r, err := sip.ParseRequest([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		via, err := r.Via()
		if err != nil {
			t.Fatal(err)
		}
		return table.stripes[0].matchKey(r, via)
	}
	for _, c := range []struct {
		from     string
		old, new string
		same     bool
	}{
		{base, "INVITE", "ACK", true}, {base, "INVITE", "CANCEL", true}, {base, "INVITE", "BYE", false},
		{base, "Call-ID: c", "Call-ID: d", true}, {base, "a:5060", "b:5060", false}, {base, "a:5060", "a:5061", false}, {base, "bKx", "bKy", false},
		{old, "INVITE", "ACK", true}, {old, "To: <sip:b@h>", "To: <sip:b@h>;tag=2", true}, {old, "Call-ID: c", "Call-ID: d", false},
		{old, "tag=1", "tag=3", false}, {old, "sip:b@h SIP", "sip:c@h SIP", false}, {old, "CSeq: 1", "CSeq: 2", false}, {old, "branch=x", "branch=y", false},
	} {
		if same := key(c.from) == key(strings.ReplaceAll(c.from, c.old, c.new)); same != c.same {
			t.Errorf("%q for %q: same is %v", c.new, c.old, same)
		}
	}
}

// A node that no ID can name would speak in the name of another.
func TestNodeOutOfRange(t *testing.T) {
	for node, good := range map[uint16]bool{0: true, sip.Nodes - 1: true, sip.Nodes: false} {
		table := &Table{Wire: new(sink), Node: node}
		err := table.Open()
		if (err == nil) != good {
			t.Errorf("node %d: %v", node, err)
		}
		if err == nil {
			table.Close()
		}
	}
}
