// The dial plan, opening hours, rules of recording, and the mail server.

package object

// RecordOpus is the value of [Plan.Recordings] for Opus in Ogg.
const RecordOpus = "opus"

// Plan is the dial plan of a domain. What its texts mean (times, conditions, patterns) is said and checked by package dialplan.
type Plan struct {
	Country        string            `json:"country" is:"iso" doc:"The country, as two letters of ISO 3166." example:"DE"`
	AreaCode       string            `json:"area-code" is:"digits" doc:"The area code, without the prefix of the nation." example:"30"`
	TimeZone       string            `json:"time-zone" is:"zone" doc:"The time zone, as the IANA database calls it. Without a value it is that of the machine." example:"Europe/Berlin"`
	Language       string            `json:"language" choice:",en,de" doc:"What the server speaks: en or de. Without a value it is en." example:"de"`
	OutsidePrefix  string            `json:"outside-prefix" is:"digits" doc:"What is dialled first to leave the house. Without a value nothing is." example:"0"`
	ShortNumbers   map[string]string `json:"short-numbers" flag:"short-number" is:"target" doc:"Short numbers and where they lead." example:"77=+4930123456"`
	Emergency      []string          `json:"emergency" is:"digits" doc:"Emergency numbers beside those of the country. No limit and no lock ever stops them." example:"19222"`
	EmergencyTrunk string            `json:"emergency-trunk" is:"trunk" doc:"The trunk by which emergency calls go first." example:"provider"`

	Countries      []string `json:"countries" is:"iso" doc:"Countries that may be called, as two letters of ISO 3166, beside that of the plan and those of its trunks; all is all." example:"AT,CH"`
	OpenPrefixes   []string `json:"open-prefixes" is:"e164" doc:"Beginnings of numbers that may be called whatever else is said." example:"+49180"`
	ClosedPrefixes []string `json:"closed-prefixes" is:"e164" doc:"Beginnings of numbers that may not be called." example:"+49137"`
	Recordings     string   `json:"recordings" choice:",wav,opus" doc:"How calls and conferences are recorded: wav, or opus (Opus in Ogg, a tenth of the size); of calls each side is a channel. Without a value it is wav, and so where the system has no libopus." example:"opus"`
	Music          string   `json:"music" is:"music" doc:"What who is put on hold hears, and callers of queues: tune, none, a file, or the URL of a stream. A file without a folder lies in the folder music of the data folder. Without a value it is the music of the server." example:"hold.wav"`
	ParkMusic      string   `json:"park-music" is:"music" doc:"What parked callers hear: tune, none, a file, or the URL of a stream. Without a value it is music." example:"https://radio.example.net/quiet.opus"`
	MaxCalls       int      `json:"max-calls" range:"-1,10000" default:"4" doc:"Calls to the outside that an account may have at once; -1 is any number."`
	MinutesADay    int      `json:"minutes-a-day" range:"-1,1440000" default:"240" doc:"Minutes of calls to the outside that an account may have in a day; -1 is any number."`
	NightLock      string   `json:"night-lock" choice:"abroad,all,off" default:"abroad" doc:"Which calls to the outside are locked at night: those abroad, all, or none (off)."`
	Night          []string `json:"night" is:"text" default:"mon-sun 22:00-06:00" doc:"When it is night, as days of the week and times." example:"mon-fri 20:00-06:00,sat-sun 00:00-24:00"`

	WebhookSecret Secret     `json:"webhook-secret" doc:"With this the questions to webhooks are signed. - reads it from standard input, none removes it." example:"-"`
	Rules         []Rule     `json:"rules" flag:"rule" doc:"Rules; the first that fits and decides counts."`
	Tests         []PlanTest `json:"tests" flag:"test" doc:"Calls with what is to become of them. A change with which one fails does not go live."`
}

// Rule is one rule of a dial plan.
type Rule struct {
	Name           string   `json:"name" is:"text" doc:"What it is called."`
	Disabled       bool     `json:"disabled" doc:"It is left out."`
	When           string   `json:"when" is:"lines" doc:"A condition in the language expr. Without a value the rule fits every call."`
	Target         string   `json:"target" is:"rule-target" doc:"Where the call goes."`
	Script         string   `json:"script" is:"lines" doc:"A script in Starlark that decides."`
	Webhook        string   `json:"webhook" is:"url" doc:"Who is asked over HTTP and decides."`
	WebhookTimeout Duration `json:"webhook-timeout" range:"0s,30s" doc:"How long the webhook is waited for; 0s is 2 seconds."`
	Otherwise      string   `json:"otherwise" is:"target" doc:"Where the call goes when script or webhook fail or say nothing. Without a value the next rule is asked."`
	CallerID       string   `json:"caller-id" is:"number" doc:"The number that it shows."`
	Trunks         []string `json:"trunks" is:"trunk" doc:"The trunks by which it goes, in order."`
	RingTime       Duration `json:"ring-time" range:"0s,10m" doc:"How long it rings; 0s is the time of the server."`
}

// PlanTest is a call and what is to become of it.
type PlanTest struct {
	Name   string   `json:"name" is:"text" doc:"What it is called."`
	From   string   `json:"from" is:"text" doc:"Who calls: 200, +49…, trunk:NAME, trunk:NAME/NUMBER, or anonymous."`
	To     string   `json:"to" is:"text" doc:"What is dialled."`
	At     string   `json:"at" is:"text" doc:"When: as sunday 22:00, or 2026-12-31T22:00:00+01:00. Without a value it is Monday noon."`
	After  []string `json:"after" is:"text" doc:"What became of the steps before: busy, no-answer, offline, declined."`
	Expect string   `json:"expect" is:"text" doc:"What is to become of it: account:200, group:600, out:+33…, refuse:country, …"`
}

// Check implements [Object].
func (p *Plan) Check() error { return checkFields(p) }

// Hours are the times at which somebody is there.
type Hours struct {
	Name     string   `json:"name" is:"word" doc:"What they are called."`
	TimeZone string   `json:"time-zone" is:"zone" doc:"The time zone, as the IANA database calls it. Without a value it is that of the plan." example:"Europe/Berlin"`
	Open     []string `json:"open" is:"text" doc:"When it is open, as days of the week and times." example:"mon-fri 09:00-17:00,sat 10:00-14:00"`
	Holidays []string `json:"holidays" flag:"holiday" is:"text" doc:"Days on which it is closed, each with a name if wanted: 2026-12-31, 12-25 for every year, 2026-12-24..2027-01-02." example:"12-25 Christmas"`
	State    string   `json:"state" choice:"auto,open,closed" default:"auto" doc:"Whether it is open as the times say, or until further notice open or closed."`
	Code     string   `json:"code" is:"digits" doc:"Digits that stand behind *48 at a telephone: who dials them opens or closes by hand, or goes by the times again. Without a value nobody can." example:"1"`
	SwitchBy []string `json:"switch-by" is:"account*" doc:"Accounts that may open and close by telephone; * is all." example:"200,201"`
}

// Check implements [Object].
func (h *Hours) Check() error { return checkFields(h) }

// Recording is a rule by which calls are recorded.
type Recording struct {
	Name      string   `json:"name" is:"word" doc:"What it is called."`
	Accounts  []string `json:"accounts" flag:"account" is:"account" doc:"The accounts whose calls are recorded. Without a value it is all." example:"200,201"`
	Direction string   `json:"direction" choice:"both,in,out" default:"both" doc:"Which of their calls: in, out or both."`
	Trunk     string   `json:"trunk" is:"trunk" doc:"Only calls by this trunk." example:"provider"`
	Announce  string   `json:"announce" choice:"prompt,beep,none" default:"prompt" doc:"How both sides are told: by a prompt, a beep, or not at all (none)."`
	Enabled   bool     `json:"enabled" default:"yes" doc:"Whether it is in force."`
}

// Check implements [Object].
func (r *Recording) Check() error { return checkFields(r) }

// Mail is the mail server that takes the mail of a domain.
type Mail struct {
	Host         string `json:"host" is:"host" doc:"The mail server." example:"smtp.example.org"`
	Port         int    `json:"port" range:"0,65535" doc:"Its port; 0 is 587 with starttls, 465 with tls and 25 with none." example:"587"`
	TLS          string `json:"tls" choice:"starttls,tls,none" default:"starttls" doc:"How the connection is protected: starttls, tls or none."`
	User         string `json:"user" is:"text" doc:"The user name there. Without a value nobody logs in." example:"phone@example.org"`
	Secret       Secret `json:"secret" doc:"The password there. - reads it from standard input, none removes it." example:"-"`
	From         string `json:"from" is:"mail" doc:"The sender of the mail." example:"phone@example.org"`
	Trust        string `json:"trust" is:"file" doc:"Who signs the certificate of the mail server, a PEM file. Without a value it is whom the system trusts." example:"/etc/sipwerk/ca.pem"`
	DKIMSelector string `json:"dkim-selector" is:"word" doc:"The selector of the key with which mail is signed (DKIM)." example:"phone"`
	DKIMKey      Secret `json:"dkim-key" doc:"The key with which mail is signed, PEM. - reads it from standard input, none removes it." example:"-"`
	DKIMDomain   string `json:"dkim-domain" is:"host" doc:"The domain that signs. Without a value it is that of from." example:"example.org"`
}

// Check implements [Object].
func (m *Mail) Check() error {
	if err := checkFields(m); err != nil {
		return err
	}
	switch {
	case m.Host == "":
		return Fault(m, "host", "is missing; name the mail server")
	case m.From == "":
		return Fault(m, "from", "is missing; name the sender of the mail")
	case m.TLS == "none" && m.Secret != "":
		return Fault(m, "tls", "the password would be sent in clear; write starttls or tls, or leave the password out")
	case (m.DKIMSelector == "") != (m.DKIMKey == ""):
		return Fault(m, "dkim-selector", "dkim-selector and dkim-key belong together; give both or none")
	}
	return nil
}
