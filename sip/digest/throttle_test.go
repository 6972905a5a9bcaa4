package digest

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(3, 10*time.Second)
		bad, good := th.source(netip.MustParseAddr("192.0.2.1")), th.source(netip.MustParseAddr("192.0.2.2"))
		for i := range 3 {
			if w := th.wait(bad, time.Now()); w != 0 {
				t.Fatalf("after %d failures: wait %v", i, w)
			}
			th.fail(bad)
		}
		if w := th.wait(bad, time.Now()); w != 10*time.Second {
			t.Errorf("stock used up: wait %v", w)
		}
		if w := th.wait(good, time.Now()); w != 0 {
			t.Errorf("another source: wait %v", w)
		}
		time.Sleep(10 * time.Second)
		if w := th.wait(bad, time.Now()); w != 0 {
			t.Errorf("one refilled: wait %v", w)
		}
		th.fail(bad)
		if th.wait(bad, time.Now()) == 0 {
			t.Error("more than one was refilled")
		}
		time.Sleep(time.Hour)
		for range 2 {
			th.fail(bad)
		}
		if w := th.wait(bad, time.Now()); w != 0 {
			t.Errorf("an hour later: wait %v", w)
		}
	})
}

func TestThrottleForgetsTheLeast(t *testing.T) {
	th := newThrottle(2, time.Hour)
	bad := th.source(netip.MustParseAddr("192.0.2.1"))
	for range 10 {
		th.fail(bad)
	}
	// Far more sources than the table holds, each failing once, do not free the one that fails most.
	for i := range uint32(4 * throttleSets * throttleWays) {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], i|10<<24)
		th.fail(th.source(netip.AddrFrom4(b)))
	}
	if th.wait(bad, time.Now()) == 0 {
		t.Error("the source with most failures was forgotten")
	}
}
