package registrar

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestExpire: each binding goes in its second, one that was renewed later, and one that was shortened earlier.
func TestExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		var gone []string
		o.Changed = func(c Change) {
			if c.Kind == Expired {
				gone = append(gone, fmt.Sprint(c.AOR, " ", time.Now().Unix()-c.Binding.Expires.Unix()))
			}
		}
		if err := o.Open(); err != nil {
			t.Fatal(err)
		}
		send := func(user string, expires int) {
			o.send(t, call{user: user, to: "sip:" + user + "@example.org", headers: []string{fmt.Sprintf("Contact: <sip:a@192.0.2.1>;expires=%d", expires)}})
		}
		for i := range 100 {
			send(fmt.Sprint("u", i), 60+37*i)
		}
		time.Sleep(59 * time.Second)
		send("u0", 600)
		send("u90", 60)
		time.Sleep(time.Second)
		if n := o.Counts().Bindings; n != 100 {
			t.Errorf("%d bindings after a minute, u0 was renewed", n)
		}
		time.Sleep(60 * time.Second)
		if n := o.Counts().Bindings; n != 98 {
			t.Errorf("%d bindings after two minutes: u1 and u90 are to be gone", n)
		}
		time.Sleep(2 * time.Hour)
		if c := o.Counts(); c.Bindings != 0 || c.AORs != 0 || len(gone) != 100 {
			t.Errorf("%+v, %d expired", c, len(gone))
		}
		for _, g := range gone {
			if g[len(g)-2:] != " 0" {
				t.Error("late: ", g)
			}
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

// TestRegisterAllDay: registering and unregistering leaves nothing behind.
func TestRegisterAllDay(t *testing.T) {
	o := newOffice()
	for range 5000 {
		o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>"}})
		o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>;expires=0"}})
	}
	if c := o.Counts(); c.AORs != 0 || c.Bindings != 0 {
		t.Errorf("%+v", c)
	}
	for i := range o.table.shards {
		if _, ok := o.table.shards[i].wheel.next(); ok {
			t.Error("somebody is still to expire")
		}
	}
}
