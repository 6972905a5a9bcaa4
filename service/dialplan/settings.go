// The settings of a domain, as a plan is compiled from them, and what the house says of its numbers.

package dialplan

import "time"

// Settings is what a [Plan] is made of. The zero value is a plan without country, rules and trunks: numbers inside the house can be called.
type Settings struct {
	Country  string // ISO 3166 code of the country whose numbers are dialled without prefix: "DE"; "" for none
	AreaCode string // of numbers dialled without one, without the trunk prefix: "30"
	TimeZone string // of times in rules, tests and the night: "Europe/Berlin"; "" is UTC, "Local" that of the machine
	Outside  string // digits that lead to the telephone network: "0"; "" for none. Numbers dialled without it are understood too

	Emergency      []string // numbers besides those of the country
	EmergencyTrunk string   // tried first for them; "" for none

	Limits Limits

	Short  map[string]string // numbers dialled → targets
	Rules  []Rule            // asked in this order
	Hours  []Hours
	Trunks []Trunk
	Tests  []Test

	House House // what is inside; nil: nothing
}

// Limits are the brakes on calls to the outside.
type Limits struct {
	Countries []string // that may be called besides the own one and those of the trunks, ISO 3166
	Open      []string // beginnings of E.164 numbers that may be called whatever their country and class
	Closed    []string // beginnings that may not; they go before Open
	Calls     int      // that an account may have at once; 0: DefaultCalls, negative: any
	Minutes   int      // that an account may talk a day; 0: DefaultMinutes, negative: any
	Night     []string // when the night lock holds ("mon-sun 22:00-06:00"); nil: DefaultNight
	NightLock Lock     // what it closes; "": LockAbroad
}

// The limits of whoever sets none.
const (
	DefaultCalls   = 4
	DefaultMinutes = 240
	DefaultNight   = "mon-sun 22:00-06:00"
)

// Lock is what may not be called in the night.
type Lock string

// The locks.
const (
	LockNone   Lock = "off"    // nothing
	LockAbroad Lock = "abroad" // other countries
	LockAll    Lock = "all"    // everything outside, but for emergency numbers
)

// Rule is one rule. What it says of a call is said only if its condition holds; without a target it changes the caller ID, the trunks or the ring time and the next rule is asked.
type Rule struct {
	Name     string
	Disabled bool
	When     string // condition (see Facts); "" is always true

	Target   string        // where the call goes
	CallerID string        // number shown outside, E.164
	Trunks   []string      // through which it goes, in this order
	RingTime time.Duration // of who rings next

	Script    string // Starlark with a function route(call); its answer goes before the fields above
	Webhook   string // URL that is asked instead; "" for none
	Timeout   time.Duration
	Otherwise string // target when script or webhook fail or say nothing; "": the next rule
}

// Hours are opening hours.
type Hours struct {
	Name     string
	TimeZone string   // "": that of the plan
	Open     []string // "mon-fri 08:00-17:30", "sat 10:00-14:00", "fri 22:00-04:00"
	Holidays []string // "12-25", "2026-12-24", "2026-12-24..2027-01-02", each with a name behind a space if you like
	State    HoursState
}

// HoursState says that somebody has opened or closed by hand; anything else is as the clock says.
type HoursState string

// The states.
const (
	HoursOpen   HoursState = "open"
	HoursClosed HoursState = "closed"
)

// Trunk is one way to the telephone network, as far as the plan must know it.
type Trunk struct {
	Name    string
	Country string    // ISO 3166, or a calling code such as "49"
	Numbers []string  // its own, E.164
	Inbound []Inbound // asked in this order
	Default string    // target of calls to every other number; ""  for none
}

// Inbound sends calls to a number of a trunk to a target.
type Inbound struct {
	Number string // E.164; X is any digit, "*" or "!" at the end any rest
	Target string
}

// Test is a call and what is to become of it.
type Test struct {
	Name   string
	From   string   // account, number, "trunk:NAME" with "/NUMBER" if it has one, or "anonymous"
	To     string   // what is dialled
	At     string   // see ParseMoment; "" is Monday noon
	After  []string // outcomes before the step that counts: "busy", "no-answer", "offline", "declined", "refused"
	Expect string   // see Decision.Summary; a beginning up to a colon or a slash is enough
}

// House says what the numbers inside stand for. It is a snapshot that does not change, and it must not block.
type House interface {
	// Place returns what a user part or an E.164 number stands for.
	Place(number string) (Place, bool)
	// Trunk reports whether calls to the outside can be made at all.
	HasTrunk() bool
}

// Kind is what a place is.
type Kind string

// The kinds of places. Every other one is an application too.
const (
	KindAccount Kind = "account"
	KindGroup   Kind = "group"
	KindQueue   Kind = "queue"
	KindMenu    Kind = "menu"
	KindPage    Kind = "page"
	KindRoom    Kind = "room"
	KindFeature Kind = "feature"
	KindMailbox Kind = "voicemail"
)

// Kinds returns all kinds: whoever translates them needs them all.
func Kinds() []Kind {
	return []Kind{KindAccount, KindGroup, KindQueue, KindMenu, KindPage, KindRoom, KindFeature, KindMailbox}
}

// Place is somebody or something inside the house that can be called.
type Place struct {
	Kind    Kind
	Name    string   // unique within its kind: the user of an account, the number of a group
	Account *Account // of an account; nil: it has no settings
	Group   *Group   // of a group
}

// Account are the settings of one account.
type Account struct {
	ForwardAlways, ForwardBusy, ForwardNoAnswer, ForwardOffline string // targets; "" for none

	RingTime     time.Duration // 0: DefaultRingTime if something follows, otherwise that of the server
	DND          bool          // do not disturb: busy for everybody
	Mailbox      bool          // who does not get through may leave a message
	CallerID     string        // number shown outside
	HideCallerID bool
	OneCall      bool // busy while it is in a call (no call waiting)
	MaxCalls     int  // outside at once; 0: those of the plan, negative: any
	Minutes      int  // outside a day; 0: those of the plan, negative: any
	Countries    []string
	NightLock    Lock // "": that of the plan
}

// Group are the settings of a ring group.
type Group struct {
	Members   []string // what one could dial
	Strategy  Strategy // "": all
	RingTime  time.Duration
	Otherwise string // target when nobody answers
}

// Strategy is in which order the members of a group ring.
type Strategy string

// The strategies.
const (
	RingAll     Strategy = "all"          // at once
	RingInOrder Strategy = "order"        // one after the other
	RoundRobin  Strategy = "round-robin"  // one after the other, the next call begins with the next one
	LongestIdle Strategy = "longest-idle" // one after the other, whoever has been free for longest first
)

// Ring times of whoever sets none.
const (
	DefaultRingTime       = 25 * time.Second // of an account, if something follows
	DefaultGroupRingTime  = 30 * time.Second // of a group that rings at once
	DefaultMemberRingTime = 15 * time.Second // of one member after the other
)
