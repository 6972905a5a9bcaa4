// Lamps: a telephone that shows whether another is in a call.

package peers

import (
	"testing"

	"github.com/sipwerk/sipwerk/test/peers/baresip"
	"github.com/sipwerk/sipwerk/test/peers/sipp"
)

// TestLamp: the lamp of an extension goes on with its call and off with the end of it. What baresip knows of lamps is the presence package (RFC 3863, RFC 4480).
func TestLamp(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "sipp")
	s := serve(t, "watcher", "bob", "alice")
	called, caller := s.side(t, "called_answers", "bob", "bob"), s.side(t, "caller_answered", "alice", "bob")
	register := called
	register.Scenario = "register_new"
	must(t, "register", sipp.Play(soon(t), t, register))
	watcher := s.account("watcher", "udp", speech(t, aliceSays))
	watcher.Watch = "sip:bob@" + domain
	lamp, err := baresip.Start(t, watcher)
	must(t, "start", err)
	must(t, "lamp is there", lamp.WaitWatched(soon(t)))
	rings, err := sipp.Start(t, called)
	must(t, "called side", err)
	must(t, "caller", sipp.Play(soon(t), t, caller))
	must(t, "called side", rings.Wait(soon(t)))
	must(t, "lamp goes on", lamp.WaitPresence(soon(t), baresip.LampOn))
	must(t, "lamp goes off", lamp.WaitPresence(soon(t), baresip.LampOff))
}
