// Accounts and mailboxes: what people want done with their calls.

package object

import "reflect"

// Account is what is to happen with the calls of an account. Who has set nothing has the defaults.
type Account struct {
	User string `json:"user" is:"account" doc:"The account."`

	ForwardAlways   string `json:"forward-always" is:"target" doc:"Where every call goes." example:"voicemail"`
	ForwardBusy     string `json:"forward-busy" is:"target" doc:"Where a call goes when the account is busy." example:"voicemail"`
	ForwardNoAnswer string `json:"forward-no-answer" is:"target" doc:"Where a call goes that nobody answers." example:"600"`
	ForwardOffline  string `json:"forward-offline" is:"target" doc:"Where a call goes when no telephone of the account is registered." example:"+491701234567"`

	RingTime    Duration `json:"ring-time" range:"0s,10m" doc:"How long its telephones ring before a call is one that nobody answers. 0s is the time of the server." example:"20s"`
	DND         bool     `json:"dnd" doc:"Do not disturb: its telephones do not ring, and callers find it busy."`
	CallWaiting bool     `json:"call-waiting" default:"yes" doc:"Whether a second call rings during a first."`

	CallerID     string `json:"caller-id" is:"number" doc:"The number that others see when the account calls out. Without a value it is the first number of the account, or that of the trunk." example:"+4930123450"`
	HideCallerID bool   `json:"hide-caller-id" doc:"Calls out show no number."`

	MaxCalls    int      `json:"max-calls" range:"-1,10000" doc:"Calls to the outside at once; 0 is the limit of the plan, -1 any number." example:"2"`
	MinutesADay int      `json:"minutes-a-day" range:"-1,1440000" doc:"Minutes of calls to the outside in a day; 0 is the limit of the plan, -1 any number." example:"120"`
	Countries   []string `json:"countries" is:"iso" doc:"Countries that it may call beside those of the plan, as two letters of ISO 3166." example:"FR,IT"`
	NightLock   string   `json:"night-lock" choice:",abroad,all,off" doc:"Which of its calls to the outside are locked at night: abroad, all or off. Without a value it is as the plan says."`

	Digits         string   `json:"digits" choice:",info,tones" doc:"How digits that are dialled during a call go to its telephones and come from them: info (INFO requests) or tones (in the sound). Without a value they are telephone events where the telephone names them, and otherwise go as it sends them." example:"info"`
	Record         string   `json:"record" choice:"never,always,on-demand" default:"never" doc:"Which of its calls are recorded: never, always, or on-demand by a feature number."`
	Supervise      []string `json:"supervise" is:"account*" doc:"Accounts whose calls it may join: listen, whisper, barge in; * is all." example:"200,201"`
	PickupGroup    string   `json:"pickup-group" is:"word" doc:"Accounts with the same word here may pick up each other's calls." example:"sales"`
	AnswerModeFrom []string `json:"answer-mode-from" is:"account*" doc:"Accounts that may make its telephones answer by themselves (intercom); * is all." example:"*"`
	Language       string   `json:"language" choice:",en,de" doc:"What the server speaks to it: en or de. Without a value it is the language of the plan." example:"de"`
}

// Check implements [Object].
func (a *Account) Check() error { return checkFields(a) }

// IsDefault reports whether nothing is set.
func (a *Account) IsDefault() bool {
	fresh := *unset
	fresh.User = a.User
	return reflect.DeepEqual(&fresh, a)
}

// Mailbox is the voicemail of an account. What it says and what was left lies in the data folder.
type Mailbox struct {
	User string `json:"user" is:"account" doc:"The account."`

	PIN             PIN    `json:"pin" doc:"4 to 16 digits that are asked of who listens from another telephone. new makes a PIN and shows it once, none means that nobody can." example:"new"`
	Email           string `json:"email" is:"mail" doc:"Where a mail goes when a message was left." example:"alice@example.org"`
	Attach          bool   `json:"attach" default:"yes" doc:"The mail has the recording with it."`
	DeleteAfterMail bool   `json:"delete-after-mail" doc:"A message that was mailed is not kept."`
	Missed          bool   `json:"missed" doc:"A mail is sent for a missed call, too."`
	Language        string `json:"language" choice:",en,de" doc:"What the box speaks and writes: en or de. Without a value it is the language of the account." example:"de"`
	MaxSeconds      int    `json:"max-seconds" range:"5,3600" default:"180" doc:"The longest message, in seconds."`
	MaxMessages     int    `json:"max-messages" range:"1,10000" default:"100" doc:"How many messages are kept; a full box takes no more."`
}

// Check implements [Object].
func (m *Mailbox) Check() error {
	if err := checkFields(m); err != nil {
		return err
	}
	if m.DeleteAfterMail && (m.Email == "" || !m.Attach) {
		return Fault(m, "delete-after-mail", "the message would be lost; set email and attach, or take delete-after-mail off")
	}
	return nil
}
