// The parts around the machines: names, timers, buffers, lanes.

package transaction

import (
	"bytes"
	"container/heap"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

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
			p.Via, _ = p.Response.Via()
		} else {
			p.Request = new(sip.Request)
			if p.Request.Parse([]byte(s)) != nil || p.Request.Validate() != nil {
				return
			}
			p.Via, _ = p.Request.Via()
		}
		table.Receive(p)
		if n := table.Stats().Panics; n > 0 {
			t.Errorf("%d panics", n)
		}
	})
}

func TestID(t *testing.T) {
	s, slot, generation := splitID(makeID(sip.Stripes-1, maxSlots-1, 1<<32-1))
	if s != sip.Stripes-1 || slot != maxSlots-1 || generation != 1<<32-1 {
		t.Errorf("got %d %d %d", s, slot, generation)
	}
}

// Many rows linger: they must stay small, and free of what the collector would look at.
func TestRowSize(t *testing.T) {
	if size := unsafe.Sizeof(row{}); size > 128 {
		t.Errorf("a row has %d bytes", size)
	}
	var check func(reflect.Type, string)
	check = func(in reflect.Type, name string) {
		switch in.Kind() {
		case reflect.Struct:
			for f := range in.Fields() {
				check(f.Type, name+"."+f.Name)
			}
		case reflect.Array:
			check(in.Elem(), name)
		case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Int64:
		default:
			t.Errorf("%s is a %v", name, in)
		}
	}
	check(reflect.TypeFor[row](), "row")
}

// The wheel against a sorted list.
func TestWheel(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	durations := []time.Duration{1, 2, 4, 8, 64, 128}
	var rows slab[row]
	w := wheel{rows: &rows}
	w.settle()
	const count = 50
	for n := range uint32(count) {
		rows.at(rows.take()).slot = n
	}
	due := make(map[uint32]time.Duration)
	now := time.Duration(1)
	for range 20000 {
		r := rows.at(uint32(random.IntN(count)))
		switch random.IntN(4) {
		case 0:
			w.stop(&r.links, ending)
			if delete(due, r.slot); !w.stale {
				checkDue(t, &w, due)
			}
		case 1, 2:
			d, kind := durations[random.IntN(len(durations))], []timer{timerA, timerJ}[random.IntN(2)]
			w.start(&r.links, ending, kind, now, d)
			due[r.slot] = now + d
		case 3:
			now += time.Duration(random.IntN(4))
			for r, _, _ := w.expired(now); r != nil; r, _, _ = w.expired(now) {
				if due[r.slot] != r.due[ending] || r.due[ending] > now {
					t.Fatalf("timer %d fired at %d, was due %d", r.slot, now, due[r.slot])
				}
				delete(due, r.slot)
			}
			w.settle()
			if checkDue(t, &w, due); len(due) == 0 && (w.due != never || w.wake != never) {
				t.Fatalf("next is %d or %d without timers", w.due, w.wake)
			}
		}
	}
}

// checkDue fails if a timer could be missed.
func checkDue(t *testing.T, w *wheel, due map[uint32]time.Duration) {
	t.Helper()
	for n, at := range due {
		if w.due > at+1 || w.wake > at+2 {
			t.Fatalf("timer %d is due %d, the next %d or %d", n, at, w.due, w.wake)
		}
	}
}

func TestOrders(t *testing.T) {
	var w wheel
	s := &stripe{}
	var ran []int
	for i, due := range []time.Duration{5, 1, 3, 1} {
		heap.Push(&w.orders, &order{stripe: s, run: func() { ran = append(ran, i) }, due: due, number: uint64(i)})
	}
	for _, _, o := w.expired(4); o != nil; _, _, o = w.expired(4) {
		o.run()
	}
	if !slices.Equal(ran, []int{1, 3, 2}) {
		t.Errorf("ran %v", ran)
	}
}

// The copies of a store against a map; when all are dropped no memory is held but a page of a size.
func TestStore(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var store store
	kept := make(map[copyRef]string)
	for i := range 20000 {
		n := []int{0, 1, 59, 60, 61, 300, 1020, 1021, 1533, 2044, 2045, 70000}[random.IntN(12)]
		if len(kept) > 500 || i > 19000 {
			for ref, text := range kept {
				if string(store.bytes(ref)) != text {
					t.Fatalf("%d bytes became %d", len(text), len(store.bytes(ref)))
				}
				store.drop(ref)
				delete(kept, ref)
				break
			}
			continue
		}
		b := bytes.Repeat([]byte{byte(i)}, n)
		ref := store.add(b)
		if _, twice := kept[ref]; twice || ref == 0 {
			t.Fatalf("%d is given twice", ref)
		}
		kept[ref] = string(b)
	}
	if len(kept) > 0 || store.bytes(0) != nil {
		t.Fatalf("%d are left", len(kept))
	}
	for class := range store {
		held := 0
		for _, page := range store[class].pages {
			held += len(page)
		}
		if held > 2*keptPage {
			t.Errorf("size %d holds %d bytes with nothing in it", class, held)
		}
	}
}

// The index against a map, with fingerprints that fight for the same entries.
func TestIndex(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var rows slab[row]
	var x index
	have := make(map[fingerprint]uint32)
	for i := range 100000 {
		f := fingerprint(1 + random.Uint64N(1<<20)&^0x3f8)
		if i%2000 > 1000 || i > 90000 { // tides
			for f = range have {
				break
			}
		}
		if n, ok := have[f]; ok {
			x.remove(f, n)
			rows.put(n)
			delete(have, f)
		} else if i <= 90000 {
			n := rows.take()
			r := rows.at(n)
			if r.slot = n; n%2 == 0 {
				r.key = f
			} else {
				r.merged = f
			}
			x.add(f, n)
			have[f] = n
		}
		f = fingerprint(1 + random.Uint64N(1<<20)&^0x3f8)
		n, ok := have[f]
		if r := x.find(f, &rows); (r != nil) != ok || ok && r.slot != n {
			t.Fatalf("round %d: %d is %v, want %d, %v", i, f, r, n, ok)
		}
	}
	if x.live != 0 || len(x.entries) > smallestIndex {
		t.Errorf("%d left, %d entries", x.live, len(x.entries))
	}
	pages := 0
	for _, p := range rows.pages {
		if p != nil {
			pages++
		}
	}
	if pages > 2 {
		t.Errorf("%d pages left", pages)
	}
}

// A flow comes out of its path as it went in.
func TestPath(t *testing.T) {
	var z zones
	for _, f := range []sip.Flow{
		{}, flowToPeer(),
		{ID: 7, Transport: sip.WSS, Local: netip.MustParseAddrPort("[2001:db8::1]:443"), Remote: netip.MustParseAddrPort("[2001:db8::2]:50000")},
		{Transport: sip.UDP, Local: netip.MustParseAddrPort("[fe80::1]:5060"), Remote: netip.MustParseAddrPort("[fe80::2%eth0]:5060")},
		{Transport: sip.UDP, Local: netip.MustParseAddrPort("[fe80::1%eth1]:5060"), Remote: netip.MustParseAddrPort("[2001:db8::2]:5060")},
		{Transport: sip.TCP, Remote: netip.MustParseAddrPort("[::ffff:192.0.2.1]:5060")},
	} {
		var p path
		if z.pack(&p, &f); z.flow(&p) != f {
			t.Errorf("%+v became %+v", f, z.flow(&p))
		}
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
		var far sip.Timer
		ticks := 0
		table.Do(0, func() {
			far = table.After(0, time.Hour, func() { ticks++ })
			table.After(0, time.Second, func() { ticks++ })
		})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if at := time.Duration(table.alarm.at.Load()); ticks != 1 || at != time.Hour {
			t.Errorf("%d ticks, set to %v", ticks, at)
		}
		table.Do(0, func() { far.Stop() })
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if at := time.Duration(table.alarm.at.Load()); ticks != 1 || at != never {
			t.Errorf("%d ticks, set to %v with nothing to wait for", ticks, at)
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
		s := &table.stripes[0]
		s.room = new(room)
		return s.matchKey(r, &via)
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
