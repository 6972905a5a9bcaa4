package load_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/load"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// TestScenarios: every scenario over every transport, with and without challenges, goes through without a fault.
func TestScenarios(t *testing.T) {
	for _, scheme := range []string{"udp", "tcp", "ws"} {
		for _, challenge := range []bool{false, true} {
			for _, s := range load.Scenarios() {
				t.Run(fmt.Sprintf("%s over %s challenged %t", s, scheme, challenge), func(t *testing.T) {
					simulate(t, scheme, challenge, func(t *testing.T, w *world) {
						r := w.run(t, load.Plan{Scenario: s, Transport: sip.ParseTransport(scheme), Workers: 2})
						c := r.Counts
						if c.Started != 100 || c.Failed != 0 || c.Retransmitted != 0 || c.Stray != 0 || c.Malformed != 0 || !r.Clean() {
							t.Errorf("%+v %v", c, r.Failures)
						}
						if wants := challenge; (c.Challenged > 0) != wants {
							t.Errorf("%d challenges", c.Challenged)
						}
						// Each message takes 10 ms from host to host.
						trips := 2.0
						if s == load.Call || s == load.Message {
							trips = 4
						}
						if challenge {
							trips += 2
						}
						if p := r.Latency.P50; p < trips*10_000 || p > trips*10_000*1.02+500 {
							t.Errorf("p50 is %.0f µs after %g messages", p, trips)
						}
					})
				})
			}
		}
	}
}

// TestLoss: what gets lost is sent again until it arrives, is counted, and fails nothing. RFC 3261 §17.1.1.2, §17.1.2.2, §13.3.1.4.
func TestLoss(t *testing.T) {
	for _, s := range load.Scenarios() {
		t.Run(string(s), func(t *testing.T) {
			simulate(t, "udp", false, func(t *testing.T, w *world) {
				w.net.SetConditions(network.Conditions{Delay: 10 * time.Millisecond, Loss: 0.05, Duplicate: 0.05})
				p := load.Plan{Scenario: s}
				if s == load.Call {
					p.Hold = 40 * time.Second // a call that ends before its ACK has arrived never gets one
				}
				r := w.run(t, p)
				if r.Counts.Failed != 0 || r.Counts.Retransmitted == 0 {
					t.Errorf("%+v %v", r.Counts, r.Failures)
				}
			})
		})
	}
}

// TestTimeout: without an answer an operation fails after 64*T1 and eleven requests, of an INVITE seven. RFC 3261 §17.1.1.2, §17.1.2.2.
func TestTimeout(t *testing.T) {
	for s, again := range map[load.Scenario]int64{load.Options: 10, load.Call: 6} {
		simulate(t, "udp", false, func(t *testing.T, w *world) {
			w.proxy.refuse = nil
			start := time.Now()
			sent := int64(0)
			w.net.Observe = func(x network.Transmission) {
				if x.To == w.target && (string(x.Data[:7]) == "OPTIONS" || string(x.Data[:6]) == "INVITE") {
					sent++
					if sent == 1 {
						w.net.SetConditions(network.Conditions{Loss: 1})
					}
				}
			}
			r := w.run(t, load.Plan{Scenario: s, Rate: 1, Warmup: 0, Window: time.Second})
			if r.Counts.Failed != 1 || r.Failures[0].Fault != load.FaultTimeout || sent != again+1 {
				t.Errorf("%s: %+v %v, %d sent", s, r.Counts, r.Failures, sent)
			}
			if d := time.Since(start); d < 32*time.Second || d > 110*time.Second {
				t.Errorf("%s: it took %s", s, d)
			}
			w.net.SetConditions(network.Conditions{})
		})
	}
}

// TestHold: calls stand as long as they should, or until the window is over.
func TestHold(t *testing.T) {
	for _, hold := range []time.Duration{3 * time.Second, load.HoldToEnd} {
		simulate(t, "udp", false, func(t *testing.T, w *world) {
			r := w.run(t, load.Plan{Scenario: load.Call, Hold: hold, Settle: time.Second})
			if r.Counts.Failed != 0 || r.Counts.Retransmitted != 0 || r.Achieved < 49 || r.Achieved > 51 {
				t.Errorf("hold %s: %+v %v, %g/s", hold, r.Counts, r.Failures, r.Achieved)
			}
		})
	}
}

// TestStrict: what a server does wrong is a failure with its reason.
func TestStrict(t *testing.T) {
	invite := func(f func(*sip.Response)) func(*proxy) {
		return func(p *proxy) {
			p.answer = func(res *sip.Response) {
				if c, _ := res.CSeq(); c.Method == sip.MethodInvite && res.Status.Success() {
					f(res)
				}
			}
		}
	}
	request := func(m sip.Method, f func(*sip.Request)) func(*proxy) {
		return func(p *proxy) {
			p.forward = func(req *sip.Request) {
				if req.Method == m {
					f(req)
				}
			}
		}
	}
	for _, c := range []struct {
		name  string
		wrong func(*proxy)
		fault load.Fault
	}{
		{"wrong number in CSeq", invite(func(r *sip.Response) { r.Set(sip.HeaderCSeq, "7 INVITE") }), load.FaultCSeq},
		{"wrong Call-ID", invite(func(r *sip.Response) { r.Set(sip.HeaderCallID, "other") }), load.FaultCallID},
		{"other From tag", invite(func(r *sip.Response) { r.Set(sip.HeaderFrom, "<sip:u1@example.test>;tag=x") }), load.FaultTag},
		{"no SIP Contact", invite(func(r *sip.Response) { r.Set(sip.HeaderContact, "<tel:+4930123>") }), load.FaultContact},
		{"no body", invite(func(r *sip.Response) { r.SetBody("", nil) }), load.FaultBody},
		{"Record-Route lost", invite(func(r *sip.Response) { r.Remove(sip.HeaderRecordRoute) }), load.FaultRecordRoute},
		{"strict router", invite(func(r *sip.Response) { r.Set(sip.HeaderRecordRoute, "<sip:192.0.2.1>") }), load.FaultStrictRoute},
		{"a second Via", invite(func(r *sip.Response) { r.Add(sip.HeaderVia, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx") }), load.FaultVia},
		{"no 2xx", func(p *proxy) {
			p.refuse = func(r *sip.Request) sip.Status {
				if r.Method == sip.MethodInvite {
					return sip.StatusBusyHere
				}
				return 0
			}
		}, load.FaultStatus},
		{"BYE refused", func(p *proxy) {
			p.refuse = func(r *sip.Request) sip.Status {
				if r.Method == sip.MethodBye {
					return sip.StatusCallDoesNotExist
				}
				return 0
			}
		}, load.FaultStatus},
		{"ACK with another CSeq", request(sip.MethodAck, func(r *sip.Request) { r.Set(sip.HeaderCSeq, "9 ACK") }), load.FaultCSeq},
		{"BYE with a stale CSeq", request(sip.MethodBye, func(r *sip.Request) { r.Set(sip.HeaderCSeq, "1 BYE") }), load.FaultCSeq},
		{"INVITE without its body", request(sip.MethodInvite, func(r *sip.Request) { r.SetBody("", nil) }), load.FaultBody},
		{"Route left to the callee", request(sip.MethodBye, func(r *sip.Request) {
			r.Add(sip.HeaderRoute, "<sip:"+r.URI.Host+":"+strconv.Itoa(int(r.URI.Port))+";lr>")
		}), load.FaultLeftRoute},
		{"BYE to another target", request(sip.MethodBye, func(r *sip.Request) { r.URI.User = "someone" }), load.FaultTarget},
		{"ACK with another tag", request(sip.MethodAck, func(r *sip.Request) { r.Set(sip.HeaderTo, "<sip:x@example.test>;tag=x") }), load.FaultTag},
		{"INVITE that breaks the rules", request(sip.MethodInvite, func(r *sip.Request) { r.Set(sip.HeaderMaxForwards, "999") }), load.FaultInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulate(t, "udp", false, func(t *testing.T, w *world) {
				c.wrong(w.proxy)
				r := w.run(t, load.Plan{Scenario: load.Call, Rate: 5, Warmup: 0, Window: time.Second})
				if len(r.Failures) == 0 || r.Failures[0].Fault != c.fault || r.Failures[0].Count < 5 || r.Clean() {
					t.Errorf("%+v %v", r.Counts, r.Failures)
				}
			})
		})
	}
}

// TestBody: a message must arrive as it was sent.
func TestBody(t *testing.T) {
	simulate(t, "udp", false, func(t *testing.T, w *world) {
		w.proxy.forward = func(r *sip.Request) {
			if r.Method == sip.MethodMessage {
				r.SetBody("text/plain", []byte("something else"))
			}
		}
		r := w.run(t, load.Plan{Scenario: load.Message})
		if r.Counts.Failed != 100 || r.Failures[0].Fault != load.FaultBody {
			t.Errorf("%+v %v", r.Counts, r.Failures)
		}
	})
}

// TestCredentials: a wrong password fails the operation after one try; without any password the first challenge does.
func TestCredentials(t *testing.T) {
	for _, password := range []string{"", "wrong"} {
		simulate(t, "udp", true, func(t *testing.T, w *world) {
			r := w.run(t, load.Plan{Scenario: load.Register, Rate: 5, Users: load.Users{Count: 20, Name: "u{n}", Password: password}})
			if r.Counts.Failed != 10 || r.Failures[0].Fault != load.FaultCredentials || r.Failures[0].Status != sip.StatusUnauthorized {
				t.Errorf("%+v %v", r.Counts, r.Failures)
			}
		})
	}
}

// TestCallees: a run whose callees cannot be registered measures nothing.
func TestCallees(t *testing.T) {
	simulate(t, "tcp", false, func(t *testing.T, w *world) {
		w.proxy.refuse = func(*sip.Request) sip.Status { return sip.StatusForbidden }
		p := load.Plan{Scenario: load.Call, Target: w.target, Transport: sip.TCP, Network: w.host, Owned: true, Rate: 1, Window: time.Second,
			Users: load.Users{Count: 4, Name: "u{n}"}}
		if _, err := (&load.Run{Plan: p}).Do(t.Context()); !errors.Is(err, load.ErrCallees) {
			t.Error(err)
		}
	})
}

// TestConnectionLost: what is under way on a connection that breaks has failed, and so has what would begin on it.
func TestConnectionLost(t *testing.T) {
	simulate(t, "tcp", false, func(t *testing.T, w *world) {
		time.AfterFunc(2*time.Second, w.host.Cut)
		r := w.run(t, load.Plan{Scenario: load.Options, Transport: sip.TCP})
		if r.Counts.Failed == 0 || r.Counts.Completed == 0 || r.Failures[0].Fault != load.FaultSend {
			t.Errorf("%+v %v", r.Counts, r.Failures)
		}
	})
}

// TestInterrupt: when the context ends, no more begins, calls that stand are ended, and what was measured is reported.
func TestInterrupt(t *testing.T) {
	simulate(t, "udp", false, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		run := &load.Run{Plan: load.Plan{Scenario: load.Call, Target: w.target, Network: w.host, Owned: true, Domain: domain, Rate: 20, Warmup: time.Second, Window: time.Hour,
			Hold: load.HoldToEnd, Users: load.Users{Count: 8, Name: "u{n}"}}}
		r, err := run.Do(ctx)
		if err != nil || !r.Interrupted || r.Counts.Failed != 0 || r.Counts.Started == 0 || r.Counts.Started > 40 {
			t.Errorf("%v %+v", err, r)
		}
		if g := run.Progress(); g.Phase != load.Done || g.Completed < 20 || g.Busy != 0 {
			t.Errorf("%+v", g)
		}
	})
}

// TestCoordinatedOmission: while the server stands still operations go on being due, and their latency says so.
func TestCoordinatedOmission(t *testing.T) {
	simulate(t, "tcp", false, func(t *testing.T, w *world) {
		time.AfterFunc(1500*time.Millisecond, func() { w.net.SetConditions(network.Conditions{Delay: time.Second}) })
		time.AfterFunc(2500*time.Millisecond, func() { w.net.SetConditions(network.Conditions{Delay: 10 * time.Millisecond}) })
		r := w.run(t, load.Plan{Scenario: load.Options, Transport: sip.TCP, Rate: 100})
		if r.Counts.Started != 200 || r.Latency.P90 < 500_000 || r.Latency.P50 < 100_000 {
			t.Errorf("%+v %+v", r.Counts, r.Latency)
		}
	})
}

// TestForeign: nobody is loaded by accident.
func TestForeign(t *testing.T) {
	p := load.Plan{Scenario: load.Options, Target: netip.MustParseAddrPort("192.0.2.1:5060"), Rate: 1, Window: time.Second, Users: load.Users{Count: 1, Name: "u"}}
	if _, err := (&load.Run{Plan: p}).Do(t.Context()); !errors.Is(err, load.ErrForeign) {
		t.Error(err)
	}
}
