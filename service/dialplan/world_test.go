package dialplan

import (
	"strings"
	"testing"
	"time"
)

// house is one for tests: accounts 200 to 209, the group 600 and whatever a test adds.
type house struct {
	places map[string]Place
	cut    bool // without trunk
}

func (h *house) Place(number string) (Place, bool) {
	p, ok := h.places[number]
	return p, ok
}

func (h *house) HasTrunk() bool { return !h.cut }

func (h *house) account(name string, a Account) *house {
	h.places[name] = Place{Kind: KindAccount, Name: name, Account: &a}
	return h
}

func (h *house) group(number string, g Group) *house {
	h.places[number] = Place{Kind: KindGroup, Name: number, Group: &g}
	return h
}

func newHouse() *house {
	h := &house{places: make(map[string]Place)}
	for _, name := range []string{"200", "201", "202", "203", "204"} {
		h.account(name, Account{})
	}
	for kind, name := range map[Kind]string{KindQueue: "610", KindMenu: "700", KindFeature: "*43", KindRoom: "4000"} {
		h.places[name] = Place{Kind: kind, Name: name}
	}
	h.places["voicemail:200"] = Place{Kind: KindMailbox, Name: "200"}
	h.places["voicemail:600"] = Place{Kind: KindMailbox, Name: "600"}
	h.places["+4930123200"] = h.places["200"]
	return h.group("600", Group{Members: []string{"201", "202"}})
}

// berlin are settings of a company there.
func berlin(h *house) Settings {
	return Settings{Country: "DE", AreaCode: "30", TimeZone: "Europe/Berlin", Outside: "0", House: h,
		Trunks: []Trunk{{Name: "telco", Country: "49", Inbound: []Inbound{{"+4930123600", "600"}, {"+49301237X*", "700"}, {"+4930123999", "+491701234567"}}, Default: "200"}}}
}

func compiled(t *testing.T, set Settings) *Plan {
	t.Helper()
	p, err := Compile(set)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// noon is a Monday at noon in Berlin.
var noon = time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)

// from is a call of an account, or of whoever [Plan.Caller] reads.
func (p *Plan) from(who, dialled string) Call {
	return Call{Caller: p.Caller(who), Dialled: dialled, At: noon}
}

// follow decides a call and what comes after some outcomes, and writes it as "account:200 > no-answer > voicemail:200".
func (p *Plan) follow(t *testing.T, c Call, outcomes ...Outcome) string {
	t.Helper()
	d := p.Settle(t.Context(), p.Decide(c), nil)
	path := []string{d.Summary()}
	for _, o := range outcomes {
		d = p.Settle(t.Context(), p.After(&d, o), nil)
		path = append(path, string(o), d.Summary())
	}
	return strings.Join(path, " > ")
}

// ledger is what accounts have used.
type ledger map[string]Use

func (l ledger) Used(account string) Use { return l[account] }
