package dialplan

import (
	"testing"
	"time"
)

func TestHours(t *testing.T) {
	h := newHouse()
	set := berlin(h)
	set.Hours = []Hours{
		{Name: "office", Open: []string{"mon-fri 08:00-12:00", "13:00-17:30", "sa 10:00-12:00, 12:00-14:00"}, Holidays: []string{"2026-10-03 Einheit", "12-24..01-02 Weihnachten", "2026-05-14..2026-05-15"}},
		{Name: "bar", Open: []string{"fr,sa 20:00-04:00", "so-mo 18:00-24:00"}},
		{Name: "tokyo", TimeZone: "Asia/Tokyo", Open: []string{"daily 09:00-17:00"}},
		{Name: "week", Open: []string{"sat-mon 00:00-24:00"}},
		{Name: "short", Open: []string{"mo-do 8-17", "fr 8-12:30"}},
		{Name: "ill", Open: []string{"daily 0-24"}, State: HoursClosed}, {Name: "party", State: HoursOpen, Holidays: []string{"06-01"}}, {Name: "usual", Open: []string{"mon 8-9"}, State: "auto"},
	}
	p := compiled(t, set)
	berlin := p.Zone()
	for _, c := range []struct {
		name, at string
		want     bool
	}{
		{"office", "2026-06-01 07:59", false}, {"office", "2026-06-01 08:00", true}, {"office", "2026-06-01 12:00", false}, {"office", "2026-06-01 13:00", true},
		{"office", "2026-06-01 17:29", true}, {"office", "2026-06-01 17:30", false}, {"office", "2026-06-06 11:00", true}, {"office", "2026-06-07 11:00", false},
		{"office", "2026-10-03 11:00", false}, {"office", "2027-10-04 11:00", true}, {"office", "2026-12-23 11:00", true}, {"office", "2026-12-24 11:00", false}, {"office", "2027-01-01 11:00", false},
		{"office", "2029-01-02 11:00", false}, {"office", "2029-01-03 11:00", true}, {"office", "2026-05-13 11:00", true}, {"office", "2026-05-14 11:00", false}, {"office", "2026-05-15 11:00", false},
		{"bar", "2026-06-05 19:59", false}, {"bar", "2026-06-05 20:00", true}, {"bar", "2026-06-06 03:59", true}, {"bar", "2026-06-06 04:00", false}, {"bar", "2026-06-07 03:00", true},
		{"bar", "2026-06-07 05:00", false}, {"bar", "2026-06-07 23:59", true}, {"bar", "2026-06-08 00:00", false}, {"bar", "2026-06-08 18:00", true}, {"bar", "2026-06-09 18:00", false},
		{"short", "2026-06-04 16:59", true}, {"short", "2026-06-05 12:29", true}, {"short", "2026-06-05 12:30", false},
		{"ill", "2026-06-01 11:00", false}, {"party", "2026-06-01 23:00", true}, {"usual", "2026-06-01 08:30", true}, {"usual", "2026-06-01 09:30", false},
		{"tokyo", "2026-06-01 02:00", true}, {"tokyo", "2026-06-01 10:00", false}, {"week", "2026-06-07 12:00", true}, {"week", "2026-06-09 00:00", false},
	} {
		at, err := time.ParseInLocation("2006-01-02 15:04", c.at, berlin)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Open(c.name, at); got != c.want {
			t.Errorf("%s at %s: %t", c.name, c.at, got)
		}
	}
}

// TestSummerTime: opening hours follow the clock on the wall through the changes of 2026.
func TestSummerTime(t *testing.T) {
	set := berlin(newHouse())
	set.Hours = []Hours{{Name: "night", Open: []string{"sat 22:00-06:00"}}, {Name: "early", Open: []string{"sun 02:00-03:00"}}}
	p := compiled(t, set)
	for _, c := range []struct {
		name  string
		at    string
		want  bool
		local string
	}{
		{"night", "2026-03-29T03:59:00Z", true, "05:59"}, {"night", "2026-03-29T04:00:00Z", false, "06:00"}, // one hour shorter
		{"night", "2026-10-25T04:59:00Z", true, "05:59"}, {"night", "2026-10-25T05:00:00Z", false, "06:00"}, // one hour longer
		{"early", "2026-03-29T00:59:00Z", false, "01:59"}, {"early", "2026-03-29T01:00:00Z", false, "03:00"}, // there is no such hour
		{"early", "2026-10-25T00:30:00Z", true, "02:30"}, {"early", "2026-10-25T01:30:00Z", true, "02:30"}, // there are two
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := at.In(p.Zone()).Format("15:04"); got != c.local {
			t.Fatalf("%s is %s there", c.at, got)
		}
		if got := p.Open(c.name, at); got != c.want {
			t.Errorf("%s at %s: %t", c.name, c.at, got)
		}
	}
}

// TestHoursTarget: a call goes where the hours say.
func TestHoursTarget(t *testing.T) {
	h := newHouse().account("200", Account{ForwardAlways: "hours:office?open=201&closed=hours:bar%3Fopen=202%26closed=voicemail"})
	set := berlin(h)
	set.Hours = []Hours{{Name: "office", Open: []string{"mon-fri 08:00-18:00"}}, {Name: "bar", Open: []string{"mon-fri 18:00-20:00"}}, {Name: "never"}}
	set.Short = map[string]string{"77": "hours:never?open=200"}
	p := compiled(t, set)
	for at, want := range map[string]string{"monday 10:00": "account:201", "monday 19:00": "account:202", "monday 22:00": "voicemail:200"} {
		c := p.from("203", "200")
		var err error
		if c.At, err = ParseMoment(at, noon.In(p.Zone())); err != nil {
			t.Fatal(err)
		}
		if got := p.follow(t, c); got != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
	if got := p.follow(t, p.from("203", "77")); got != "refuse:hangup" {
		t.Error(got)
	}
}

func TestMoments(t *testing.T) {
	now := time.Date(2026, 6, 3, 15, 0, 0, 0, time.UTC) // a Wednesday
	for text, want := range map[string]string{
		"": "2026-06-03T15:00:00Z", "now": "2026-06-03T15:00:00Z", "22:00": "2026-06-03T22:00:00Z", "sunday 22:00": "2026-06-07T22:00:00Z", "Sonntag 22:00": "2026-06-07T22:00:00Z",
		"wed 08:00": "2026-06-03T08:00:00Z", "2026-12-24 18:30": "2026-12-24T18:30:00Z", "2026-12-24T18:30:00+01:00": "2026-12-24T18:30:00+01:00",
	} {
		got, err := ParseMoment(text, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %s %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "sunday", "sunday 25:00", "10", "funday 10:00", "10:7"} {
		if at, err := ParseMoment(text, now); err == nil {
			t.Errorf("%q: %s", text, at)
		}
	}
}

// TestHoursByHand: what is closed by hand is closed, and the tests beside the plan go by the times all the same.
func TestHoursByHand(t *testing.T) {
	p, err := Compile(Settings{Country: "DE", Hours: []Hours{{Name: "office", Open: []string{"daily 0-24"}, State: HoursClosed}},
		Rules: []Rule{{Name: "night", When: `!open("office")`, Target: "busy"}, {Name: "day", Target: "hangup"}},
		Tests: []Test{{Name: "by day", From: "200", To: "201", Expect: "refuse:hangup"}}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Open("office", time.Now()) {
		t.Error("it is open")
	}
	for _, proof := range p.Prove(t.Context()) {
		if !proof.OK {
			t.Errorf("%+v", proof)
		}
	}
}
