// Numbers behind which there are several people: groups, queues, pages, menus.

package object

import (
	"net/netip"
	"slices"
	"strings"
)

// The values of Group.Strategy and Queue.Strategy.
const (
	StrategyAll         = "all"          // everybody rings at once
	StrategyOrder       = "order"        // one after the other, as listed
	StrategyRoundRobin  = "round-robin"  // one after the other, each call begins behind the one who had the last
	StrategyLongestIdle = "longest-idle" // one after the other, who has not spoken for longest first
	StrategyFewestCalls = "fewest-calls" // one after the other, who has taken the fewest calls first; of queues only
)

// Group is a number that rings several telephones.
type Group struct {
	Number    string   `json:"number" is:"number" doc:"What is dialled."`
	Title     string   `json:"title" is:"text" doc:"What it is called on displays." example:"Sales"`
	Members   []string `json:"members" flag:"member" is:"dial" doc:"Who rings: accounts, or numbers to dial." example:"200,201"`
	Strategy  string   `json:"strategy" choice:"all,order,round-robin,longest-idle" default:"all" doc:"Who rings when: all at once, or one after the other: in order, round-robin, or longest-idle first."`
	RingTime  Duration `json:"ring-time" range:"1s,10m" default:"20s" doc:"How long all ring; or each, where they ring one after the other."`
	Otherwise string   `json:"otherwise" is:"target" doc:"Where a call goes that nobody answers. Without a value the caller hears that nobody is there." example:"voicemail:200"`
}

// Check implements [Object].
func (g *Group) Check() error {
	if err := checkFields(g); err != nil {
		return err
	}
	if slices.Contains(g.Members, g.Number) {
		return Fault(g, "members", "the group holds itself; take %s out", g.Number)
	}
	return nil
}

// Queue is a number whose callers wait for an agent.
type Queue struct {
	Number     string   `json:"number" is:"number" doc:"What is dialled."`
	Title      string   `json:"title" is:"text" doc:"What it is called on displays." example:"Support"`
	Agents     []string `json:"agents" flag:"agent" is:"account" doc:"The accounts that take its calls." example:"200,201"`
	Strategy   string   `json:"strategy" choice:"all,order,round-robin,longest-idle,fewest-calls" default:"longest-idle" doc:"Which agent rings: all at once, or one after the other: in order, round-robin, longest-idle or fewest-calls first."`
	RingTime   Duration `json:"ring-time" range:"1s,10m" default:"20s" doc:"How long one agent rings before the next."`
	WrapUp     Duration `json:"wrap-up" range:"0s,1h" default:"10s" doc:"How long an agent is left in peace after a call."`
	Announce   Duration `json:"announce" range:"0s,1h" default:"1m" doc:"How often callers are told their place; 0s is never."`
	Music      string   `json:"music" is:"music" doc:"What callers hear: tune, none, a file, or the URL of a stream. Without a value it is the music of the dial plan." example:"tune"`
	Language   string   `json:"language" choice:",en,de" doc:"What the queue speaks: en or de. Without a value it is the language of the plan." example:"de"`
	MaxWait    Duration `json:"max-wait" range:"0s,24h" default:"10m" doc:"How long a caller waits at the most; 0s is for ever."`
	MaxCallers int      `json:"max-callers" range:"0,10000" default:"50" doc:"How many wait at the most; 0 is any number."`
	Otherwise  string   `json:"otherwise" is:"target" doc:"Where a caller goes who has waited too long, finds too many before, or no agent there." example:"voicemail:200"`

	Exit         string   `json:"exit" is:"key" doc:"The key by which a caller who waits leaves to otherwise." example:"1"`
	Priority     int      `json:"priority" range:"0,100" doc:"Agents of several queues take the callers of the one with the higher priority first."`
	ServiceLevel Duration `json:"service-level" range:"1s,10m" default:"20s" doc:"Within which time a call should be answered; for the figures."`
}

// Check implements [Object].
func (q *Queue) Check() error { return checkFields(q) }

// The values of Page.Mode.
const (
	PageOneWay = "one-way" // the others only hear
	PageTwoWay = "two-way" // everybody speaks
)

// Page is a number that speaks through the loudspeakers of several telephones. RFC 5373.
type Page struct {
	Number  string   `json:"number" is:"number" doc:"What is dialled."`
	Title   string   `json:"title" is:"text" doc:"What it is called on displays." example:"Warehouse"`
	Members []string `json:"members" flag:"member" is:"account" doc:"The accounts whose telephones answer by themselves." example:"200,201"`
	Mode    string   `json:"mode" choice:"one-way,two-way" default:"one-way" doc:"Whether they only hear (one-way) or can speak (two-way)."`
	Callers []string `json:"callers" flag:"caller" is:"account*" doc:"The accounts that may use it. Without a value it is everybody." example:"200"`
	// Multicast are at most 8 groups; what is sent there stays in the local network.
	Multicast []string `json:"multicast" is:"group" doc:"Multicast groups, at most 8, on which further telephones and loudspeakers listen (RTP with PCMU), beside the members; the same address is set there." example:"239.255.1.1:10000"`
	// MulticastFrom chooses the network of the groups where the machine is in several.
	MulticastFrom string `json:"multicast-from" is:"address" doc:"The address of this machine from which it is sent to the multicast groups, if the system's routes lead elsewhere." example:"192.168.1.5"`
}

// maxGroups is how many groups a page may have: each gets a copy of every packet.
const maxGroups = 8

// Source is MulticastFrom; the zero value says that none is set.
func (p *Page) Source() netip.Addr {
	a, _ := netip.ParseAddr(p.MulticastFrom) // Check has seen it
	return a
}

// Loudspeakers are the groups of Multicast.
func (p *Page) Loudspeakers() (groups []netip.AddrPort) {
	for _, text := range p.Multicast {
		if g, err := netip.ParseAddrPort(text); err == nil {
			groups = append(groups, g)
		}
	}
	return groups
}

// checkGroup takes what is a multicast group with a port.
func checkGroup(text string) string {
	g, err := netip.ParseAddrPort(text)
	if err != nil || !g.Addr().IsMulticast() || g.Addr().Is4In6() || g.Port() == 0 {
		return "is no multicast group with a port; write one such as 239.255.1.1:10000"
	}
	return ""
}

// checkAddress takes what is an address of one machine.
func checkAddress(text string) string {
	a, err := netip.ParseAddr(text)
	if err != nil || a.Is4In6() || a.IsUnspecified() || a.IsMulticast() {
		return "is no address of this machine; write one such as 192.168.1.5"
	}
	return ""
}

// Check implements [Object].
func (p *Page) Check() error {
	if err := checkFields(p); err != nil {
		return err
	}
	if len(p.Multicast) > maxGroups {
		return Fault(p, "multicast", "has more than %d groups; take some out", maxGroups)
	}
	from := p.Source()
	for _, g := range p.Loudspeakers() {
		if from.IsValid() && from.Is4() != g.Addr().Is4() {
			return Fault(p, "multicast-from", "is not of the kind of %s; write both as IPv4 or as IPv6", g)
		}
	}
	return nil
}

// Menu is a number that speaks a text and asks for a digit.
type Menu struct {
	Number         string            `json:"number" is:"number" doc:"What is dialled."`
	Title          string            `json:"title" is:"text" doc:"What it is called on displays." example:"Reception"`
	Language       string            `json:"language" choice:",en,de" doc:"What it speaks: en or de. Without a value it is the language of the plan." example:"de"`
	Text           string            `json:"text" is:"lines" doc:"What it says, for who reads it." example:"Sales, press 1."`
	Greeting       string            `json:"greeting" is:"text" doc:"What is played: a sound file, or prompts with blanks between. Without a value the choices are read out." example:"/etc/sipwerk/welcome.wav"`
	Choices        map[string]string `json:"choices" flag:"choice" is:"target" doc:"Where each key leads: a digit, * or #." example:"1=600,2=700"`
	Timeout        Duration          `json:"timeout" range:"1s,1m" default:"5s" doc:"How long it waits for a key."`
	Retries        int               `json:"retries" range:"0,10" default:"2" doc:"How often it is said again when nothing or something wrong was pressed."`
	DialExtensions bool              `json:"dial-extensions" doc:"Callers may dial the number of somebody in the house."`
	DialByName     string            `json:"dial-by-name" is:"key" doc:"The key behind which callers spell a name on the keypad." example:"9"`
	Otherwise      string            `json:"otherwise" is:"target" doc:"Where a caller goes who presses nothing. Without a value the call ends." example:"600"`
}

// Check implements [Object].
func (m *Menu) Check() error {
	if err := checkFields(m); err != nil {
		return err
	}
	for key := range m.Choices {
		if len(key) != 1 || !strings.Contains("0123456789*#", key) {
			return Fault(m, "choices", "%q is no key; write a digit, * or #", key)
		}
	}
	if _, twice := m.Choices[m.DialByName]; twice {
		return Fault(m, "dial-by-name", "key %s is a choice already; take another", m.DialByName)
	}
	return nil
}
