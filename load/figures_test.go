package load

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// TestHistogram: every quantile is within one percent of the true one, and none exceeds the longest value.
func TestHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram
	if h.quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	values := make([]time.Duration, 100_000)
	for i := range values {
		values[i] = time.Duration(random.ExpFloat64() * float64(time.Millisecond))
		h.record(values[i])
	}
	slices.Sort(values)
	for _, q := range []float64{0.001, 0.5, 0.9, 0.99, 0.999, 1} {
		want := values[max(int(q*float64(len(values))+0.5), 1)-1]
		if got := h.quantile(q); got < want || float64(got) > 1.01*float64(want)+1 || got > h.max {
			t.Errorf("%g: %s, want %s", q, got, want)
		}
	}
}

// TestBuckets: buckets follow each other without gaps, from nothing to the longest value.
func TestBuckets(t *testing.T) {
	for i := range buckets - 1 {
		if top := ceiling(i); bucketOf(top) != i || bucketOf(top+1) != i+1 {
			t.Fatalf("bucket %d ends at %d, which lies in %d, and the next value in %d", i, top, bucketOf(top), bucketOf(top+1))
		}
	}
	for _, d := range []time.Duration{-1, 0, 1 << 62} {
		var h histogram
		h.record(d)
		if h.total != 1 {
			t.Error(d)
		}
	}
}

// TestSchedule: the shares of the workers are together the even beat that was asked for, whoever is late.
func TestSchedule(t *testing.T) {
	for _, c := range []struct {
		rate    float64
		workers int
		length  time.Duration
		want    int
	}{
		{1, 1, time.Second, 1}, {1000, 1, time.Second, 1000}, {1000, 3, time.Second, 1000}, {0.5, 2, 10 * time.Second, 5}, {3, 7, 2 * time.Second, 6}, {100_000, 4, time.Second, 100_000},
	} {
		var due []time.Duration
		for i := range c.workers {
			s := newSchedule(time.Minute, c.length, c.rate, i, c.workers)
			if _, _, early := s.take(time.Minute - 1); early {
				t.Errorf("%+v: an operation begins before its time", c)
			}
			for {
				_, at, ok := s.take(time.Hour)
				if !ok {
					break
				}
				due = append(due, at-time.Minute)
			}
			if _, left := s.next(); left {
				t.Errorf("%+v: something is left", c)
			}
		}
		slices.Sort(due)
		if len(due) != c.want {
			t.Errorf("%+v: %d operations", c, len(due))
		}
		for k, at := range due {
			if off := at - time.Duration(float64(k)/c.rate*1e9); off < -2 || off > 2 {
				t.Errorf("%+v: operation %d is due at %s", c, k, at)
				break
			}
		}
	}
}

// TestRetransmissionTimes compares the waits with RFC 3261 §17.1.1.2 (INVITE) and §17.1.2.2 (others).
func TestRetransmissionTimes(t *testing.T) {
	for _, c := range []struct {
		longest time.Duration
		want    string
	}{
		{lifetime, "500ms 1.5s 3.5s 7.5s 15.5s 31.5s 32s"},
		{t2, "500ms 1.5s 3.5s 7.5s 11.5s 15.5s 19.5s 23.5s 27.5s 31.5s 32s"},
	} {
		var at time.Duration
		var all []string
		for class, over := 0, false; !over; {
			at += t1 << class
			all = append(all, at.String())
			class, over = classAfter(class, at, c.longest)
		}
		if got := strings.Join(all, " "); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestTimers: what is set first fires first, across a queue that grows and shrinks.
func TestTimers(t *testing.T) {
	var q queue
	for i := range 5000 {
		q.push(alarm{at: time.Duration(i), slot: uint32(i)})
	}
	for i := range 5000 {
		if _, early := q.pop(time.Duration(i) - 1); early {
			t.Fatal("early")
		}
		if a, ok := q.pop(time.Duration(i)); !ok || a.slot != uint32(i) {
			t.Fatal(i, a, ok)
		}
	}
	if _, ok := q.pop(1 << 60); ok {
		t.Error("something is left")
	}
}

// TestForms: each form, filled in, is a message that package sip finds valid.
func TestForms(t *testing.T) {
	for _, transport := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS, sip.WS} {
		fs := newForms(transport, "example.test")
		v := &values{[]byte("192.0.2.1:5062"), []byte("z9hG4bKx"), []byte("u1"), []byte("u2"), []byte("id"), []byte("a"), []byte("b"), []byte("3"), []byte("sip:c@192.0.2.9:5070;transport=tcp"),
			[]byte("<sip:r1;lr>, <sip:r2;lr>"), []byte(`Digest username="u1", realm="r", nonce="n", uri="sip:x", response="0"`)}
		for k := range kinds {
			for x := range variant(variants) {
				b := fs[k][x].fill(nil, v)
				req, err := sip.ParseRequest(b)
				if err == nil {
					err = req.Validate()
				}
				if err != nil || req.Method != k.method() || bytes.Contains(b, []byte("zzmarkzz")) || req.Has(sip.HeaderRoute) != (x&routed != 0) {
					t.Errorf("%s: %v\n%s", transport, err, b)
				}
			}
		}
	}
}

func TestUsers(t *testing.T) {
	list, err := ReadUsers(strings.NewReader("\ufeffPassword, user,name\np 1,anna b,x\n,bob,\n"))
	if err != nil || len(list) != 2 || list[0] != (User{"anna b", "p 1"}) || list[1] != (User{"bob", ""}) {
		t.Errorf("%v %v", list, err)
	}
	for _, bad := range []string{"", "user\nx\n", "user,password\n,x\n", "user,password\nx\n"} {
		if _, err := ReadUsers(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
	named := Users{List: list}
	numbered := Users{Count: 3, First: 7, Name: "u{n}x", Password: "{n}"}
	if got := string(named.part(nil, 0)) + " " + string(named.name(nil, 0)) + " " + named.password(1) + " " + string(numbered.part(nil, 2)) + " " + numbered.password(0); got != "anna%20b anna b  u9x 7" {
		t.Error(got)
	}
	for _, bad := range []Users{{}, {Count: 2, Name: "u"}, {Count: 2, Name: "u {n}"}, {List: list[:1]}} {
		if bad.check(2) == nil {
			t.Errorf("%+v passes", bad)
		}
	}
}

// TestCloseIn: the search finds a limit to within six percent from wherever it begins, in few steps.
func TestCloseIn(t *testing.T) {
	for _, limit := range []float64{80, 1000, 1010, 3500} {
		steps := 0
		got := closeIn(1000, func(rate float64) (bool, bool) { steps++; return rate <= limit, true })
		if got > limit || got < limit/1.07 || steps > mostProbes {
			t.Errorf("limit %g: %g after %d steps", limit, got, steps)
		}
	}
	if got := closeIn(1000, func(float64) (bool, bool) { return false, true }); got != 0 {
		t.Error(got)
	}
	if got := closeIn(1000, func(float64) (bool, bool) { return true, false }); got != 0 {
		t.Error(got)
	}
}

// TestClean holds the limits of a clean rate.
func TestClean(t *testing.T) {
	for _, c := range []struct {
		r    Result
		want bool
	}{
		{Result{Rate: 100, Achieved: 99, Counts: Counts{Started: 1000}}, true},
		{Result{Rate: 100, Achieved: 98, Counts: Counts{Started: 1000}}, false},
		{Result{Rate: 100, Achieved: 100, Counts: Counts{Started: 1000, Failed: 1}}, false},
		{Result{Rate: 100, Achieved: 100, Counts: Counts{Started: 2000, Failed: 1}}, true},
		{Result{Rate: 100, Achieved: 100, Counts: Counts{Started: 1000, Retransmitted: 10}}, false},
		{Result{}, false},
	} {
		if c.r.Clean() != c.want {
			t.Errorf("%+v", c.r)
		}
	}
	if (&Result{}).FailedShare() != 1 {
		t.Error("a run without operations has failed")
	}
}

// TestCompare: medians of what both sides have, first over second.
func TestCompare(t *testing.T) {
	run := func(s Scenario, rate, cpu, p50 float64) Result {
		return Result{Version: Version, Scenario: s, Transport: "udp", Rate: rate, Latency: Percentiles{P50: p50}, Server: &Usage{PerOp: cpu}}
	}
	var text bytes.Buffer
	for _, r := range []Result{run(Call, 100, 10, 5), run(Call, 100, 30, 7), run(Call, 100, 20, 6), run(Options, 1, 1, 1)} {
		if err := json.NewEncoder(&text).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	a, err := ReadResults(&text)
	if err != nil || len(a) != 4 {
		t.Fatal(a, err)
	}
	all := Compare(a, []Result{run(Call, 100, 40, 3), run(Register, 1, 1, 1)})
	if len(all) != 1 || all[0].Runs != [2]int{3, 1} {
		t.Fatalf("%+v", all)
	}
	cpu, _ := all[0].Value(FigureCPU)
	if x, ok := cpu.Ratio(); !ok || x != 0.5 || cpu.Values != [2]float64{20, 40} {
		t.Errorf("%+v", cpu)
	}
	if failed, ok := all[0].Value(FigureFailed); !ok {
		t.Error("no failures compared")
	} else if _, ok := failed.Ratio(); ok {
		t.Error("nothing has a ratio to nothing")
	}
	if _, err := ReadResults(strings.NewReader(`{"version":99}`)); err == nil {
		t.Error("a result of another version is read")
	}
}

// TestPlot: the drawing is well-formed whatever was measured, and escapes what a user wrote.
func TestPlot(t *testing.T) {
	for _, r := range []Result{
		{Scenario: Call, Transport: "udp", Label: `<&">`},
		{Scenario: Call, Transport: "udp", Rate: 100, Warmup: 1, Window: 2, Series: []Point{{At: 1, Rate: 100, Latency: Percentiles{100, 200, 3000, 4000, 5e6}}, {At: 2}, {At: 3, Rate: 90, Failed: 10}}},
	} {
		d := xml.NewDecoder(bytes.NewReader(Plot(&r)))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestProcesses: this process can be measured where there is a /proc, and one that does not exist cannot.
func TestProcesses(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("no /proc here")
	}
	p, err := processTree(os.Getpid())
	if err != nil || len(p) == 0 || p.memory() < 1000 {
		t.Errorf("%v %v %d kB", p, err, p.memory())
	}
	if _, err := processTree(1 << 30); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
