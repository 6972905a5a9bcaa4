package pbx

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// callsBack gives the office call backs.
func (o *office) callsBack() *Callbacks {
	k := &Callbacks{PBX: o.house, Lamps: o.lamps, Resolve: func(uri sip.URI) (sip.URI, bool) { return o.uri(uri.UserName()), o.devices[uri.UserName()] != nil },
		Reachable: func(name string) bool { uri := sip.MustParseURI(name); return len(o.devices[uri.UserName()]) > 0 }}
	o.lamps.Listeners = append(o.lamps.Listeners, k.Changed)
	o.calls.Observer = k
	return k
}

func (o *office) name(user string) string { uri := o.uri(user); return uri.AOR() }

func callbackFlows() []siptest.Flow {
	return []siptest.Flow{
		{Name: "call-back", About: "Somebody is called back when the one is free who was busy.", Play: onOffice(callBack)},
		{Name: "click-to-dial", About: "The server calls one, and connects it to another. RFC 5359 §2.18.", Play: onOffice(clickToDial)},
		{Name: "click-to-dial-busy", About: "The server calls one, and the other is busy. RFC 5359 §2.18.", Play: onOffice(clickToDialBusy)},
	}
}

func TestCallbackFlows(t *testing.T) { siptest.RunFlows(t, callbackFlows()) }

func TestCallbackFlowsOverBadNetwork(t *testing.T) { siptest.RunFlowsBadly(t, callbackFlows()) }

func callBack(o *office) {
	k := o.callsBack()
	alice, bob, carol := o.phone("alice", "alice"), o.phone("bob", "bob"), o.phone("carol", "carol")
	talk := carol.Dial(o.uri("bob"))
	in := bob.Incoming()
	talk.Talk(in)
	vain := alice.Dial(o.uri("bob"))
	second := bob.Incoming()
	second.Reject(sip.StatusBusyHere)
	vain.Await("Rejected 486")
	o.settled(func() bool { return o.lamps.Calls(o.name("alice")) == 0 }, "the end of the call in vain")
	o.Check(k.Wish(o.name("alice")), "no wish is taken")
	o.Check(!k.Wish(o.name("alice")), "one call, two wishes")
	talk.HangUp(in)
	back := alice.Incoming()
	o.Check(k.Len() == 1, "%d wishes", k.Len())
	back.Ring()
	back.Answer()
	again := bob.Incoming()
	again.Ring()
	again.Answer()
	back.Await("AckReceived", "Modified", "Offer")
	o.settled(func() bool { return o.lamps.Len() == 2 && k.Len() == 0 }, "two who talk")
	o.Wait(5 * time.Second)
	back.HangUp(again)
}

func clickToDial(o *office) {
	alice, bob := o.phone("alice", "alice"), o.phone("bob", "bob")
	answered := make(chan sip.Status, 1)
	if err := o.house.Connect(o.uri("alice"), sip.Address{URI: o.uri("bob")}, func(s sip.Status) { answered <- s }); err != nil {
		o.T.Fatal(err)
	}
	one := alice.Incoming()
	one.Ring()
	one.Answer()
	two := bob.Incoming()
	two.Ring()
	two.Answer()
	o.Check(<-answered == sip.StatusOK, "not answered")
	o.Wait(5 * time.Second)
	one.HangUp(two)
}

func clickToDialBusy(o *office) {
	alice, bob := o.phone("alice", "alice"), o.phone("bob", "bob")
	if err := o.house.Connect(o.uri("alice"), sip.Address{URI: o.uri("bob")}, nil); err != nil {
		o.T.Fatal(err)
	}
	one := alice.Incoming()
	one.Answer()
	two := bob.Incoming()
	two.Reject(sip.StatusBusyHere)
	one.Await("Ended BYE received")
}

// TestCallbackWishes: which calls leave a wish, how long it stays, and how many there may be.
func TestCallbackWishes(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b)
		k := o.callsBack()
		k.Time, k.Wishes = time.Minute, 2
		o.devices["bob"], o.devices["carol"], o.devices["dora"], o.devices["alice"] = []b2bua.Binding{}, []b2bua.Binding{}, []b2bua.Binding{}, []b2bua.Binding{} // nobody has a telephone
		vain := func(to string, status sip.Status, steps ...b2bua.Step) bool {
			uri := o.uri(to)
			d := &b2bua.Detail{Phase: b2bua.Ended, Caller: o.uri("alice"), To: uri.String(), Status: status, Steps: steps}
			if status == sip.StatusOK {
				d.Answer = time.Now()
			}
			k.ObserveCall(d)
			return k.Wish(o.name("alice"))
		}
		for _, c := range []struct {
			to     string
			status sip.Status
			steps  []b2bua.Step
			want   bool
		}{
			{"bob", 486, nil, true}, {"bob", 480, nil, true}, {"bob", 200, nil, false}, {"bob", 404, nil, false}, {"nobody", 486, nil, false}, {"alice", 486, nil, false},
			{"bob", 200, []b2bua.Step{{Status: 486, Miss: b2bua.Busy}, {Status: 200}}, true}, // the voicemail has answered
		} {
			if got := vain(c.to, c.status, c.steps...); got != c.want {
				t.Errorf("%s %d: %t", c.to, c.status, got)
			}
		}
		if k.Len() != 1 {
			t.Errorf("%d wishes for one", k.Len())
		}
		vain("carol", 486)
		vain("dora", 486)
		if k.Len() != 2 || k.wishes[0].callee != o.name("carol") {
			t.Errorf("%d wishes", k.Len())
		}
		if n := k.Cancel(o.name("alice")); n != 2 || k.Len() != 0 {
			t.Errorf("%d are taken back", n)
		}
		vain("bob", 486)
		o.Wait(2 * time.Minute)
		if k.Len() != 0 {
			t.Error("a wish outlives its time")
		}
		k.ObserveCall(&b2bua.Detail{Phase: b2bua.Ended, Caller: o.uri("alice"), To: "sip:bob@x", Status: 486})
		o.Wait(missKept + time.Minute)
		if k.Wish(o.name("alice")) {
			t.Error("an old call is remembered")
		}
	})
}

// TestCallbackJournal: a restart forgets no wish, and none comes back that was fulfilled, taken back or is over.
func TestCallbackJournal(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b)
		file := filepath.Join(t.TempDir(), "callbacks")
		open := func() *Callbacks {
			o.lamps.Listeners = nil
			k := o.callsBack()
			if k.Journal = file; k.Open() != nil {
				t.Fatal("the wishes cannot be read")
			}
			return k
		}
		k := open()
		alice, bob := o.phone("alice", "alice"), o.phone("bob", "bob")
		o.devices["carol"], o.devices["dora"] = []b2bua.Binding{}, []b2bua.Binding{} // these have no telephone
		wish := func(from, to string, status sip.Status) {
			uri := o.uri(to)
			k.ObserveCall(&b2bua.Detail{Phase: b2bua.Ended, Caller: o.uri(from), To: uri.String(), Status: status})
			o.Check(k.Wish(o.name(from)), "no wish of %s for %s", from, to)
		}
		wish("carol", "alice", 480)
		wish("dora", "alice", 486)
		wish("alice", "bob", 480) // bob did not answer: a sign of life is waited for
		wish("alice", "carol", 486)
		o.Check(k.Cancel(o.name("dora")) == 1, "dora takes nothing back")
		o.Wait(30 * time.Minute)
		kill, err := os.ReadFile(file) // what kill -9 leaves
		if err != nil || k.Close() != nil || os.WriteFile(file, append(kill, `{"caller":"sip:x`...), 0o600) != nil {
			t.Fatal(err)
		}
		k = open()
		o.Check(k.Len() == 3, "%d wishes after the restart, want 3", k.Len())
		o.Wait(5 * time.Minute)
		o.Check(k.Len() == 3, "%d wishes five minutes later", k.Len())
		talk := bob.Dial(o.uri("alice"))
		in := alice.Incoming()
		talk.Talk(in)
		talk.HangUp(in)
		back := alice.Incoming()
		back.Answer()
		again := bob.Incoming()
		again.Answer()
		back.Await("AckReceived", "Modified", "Offer")
		o.Wait(5 * time.Second)
		back.HangUp(again)
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		k = open()
		o.Check(k.Len() == 2, "%d wishes are left, want 2", k.Len())
		o.Wait(15 * time.Minute)
		o.Check(k.Len() == 0, "a restart gives a wish a longer life")
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestCallbackLong: what an address says besides, at any length, is not kept, and one that is long without it is not remembered.
func TestCallbackLong(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for called, want := range map[string]string{
		"sip:bob@example.org;a=" + long + "?b=" + long:         "sip:bob@example.org",
		"sip:+49301;ext=7@example.org;a=1;user=phone":          "sip:+49301;ext=7@example.org;user=phone",
		"sip:tgruu.7@example.org;gr":                           "sip:tgruu.7@example.org;gr",
		"tel:7042;phone-context=example.org":                   "tel:7042;phone-context=example.org",
		"sip:bob:" + long + "@example.org":                     "",
		"sip:bob@example.org;gr=" + long:                       "",
		"tel:7042;phone-context=example.org;ext=" + "1" + long: "",
		"nobody": "",
	} {
		got := ""
		if uri, ok := calleeOf(called); ok {
			got = uri.String()
		}
		if got != want {
			t.Errorf("%.40s: %.80q, want %q", called, got, want)
		}
	}
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b)
		o.devices["alice"], o.devices["bob"] = []b2bua.Binding{}, []b2bua.Binding{}
		k := o.callsBack()
		k.Journal = filepath.Join(t.TempDir(), "callbacks")
		for range 2 { // the second time with what the first has kept
			if err := k.Open(); err != nil {
				t.Fatal(err)
			}
			uri := o.uri("bob")
			k.ObserveCall(&b2bua.Detail{Phase: b2bua.Ended, Caller: o.uri("alice"), To: uri.String() + ";a=" + long, Status: 486})
			o.Check(k.Wish(o.name("alice")) && k.Len() == 1, "%d wishes", k.Len())
			if err := k.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
