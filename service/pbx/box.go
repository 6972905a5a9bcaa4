// Mailboxes as the applications see them: whose they are, what lies in them, and who keeps it.

package pbx

import (
	"context"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Box is the mailbox of an account.
type Box struct {
	Account     sip.URI // whose it is, by its address-of-record, which is the name of the box
	Language    string  // in which it speaks; "": that of the call
	PIN         bool    // one is set: without it, the box is opened from telephones of the account only
	MaxLength   time.Duration
	MaxMessages int
}

// Name is what the box is called among all.
func (b *Box) Name() string { return b.Account.AOR() }

// Message is one message in a box.
type Message struct {
	ID        string
	Box       string // [Box.Name]
	From      string // who called, as one would dial them; "": somebody anonymous
	FromName  string
	Received  time.Time
	Length    time.Duration
	Saved     bool   // it was heard
	Forwarded string // the number of the account that has sent it here; ""
	File      string // the recording, a WAV file
}

// Greeting is one of the recordings by which a box speaks for its owner.
type Greeting string

// The greetings. The name stands in for the number in those that were not recorded.
const (
	GreetUnavailable Greeting = "unavailable"
	GreetBusy        Greeting = "busy"
	GreetAway        Greeting = "away"
	GreetName        Greeting = "name"
)

// Greetings returns all of them, in the order of the keys that record them.
func Greetings() []Greeting { return []Greeting{GreetUnavailable, GreetBusy, GreetAway, GreetName} }

// Boxes knows the mailboxes.
type Boxes interface {
	// Box returns the box of an account, named by one of its numbers or devices as well. It must not block.
	Box(account sip.URI) (Box, bool)
	// Opens reports whether digits are the PIN of a box. It may compute for some ms.
	Opens(b *Box, pin string) bool
	// SetPIN gives a box a new PIN, and returns when it is on the disk.
	SetPIN(ctx context.Context, b *Box, pin string) error
	// Greeting returns the file of a greeting, ok is false if none was recorded.
	Greeting(b *Box, g Greeting) (file string, ok bool)
	// RecordGreeting begins a new recording of a greeting; the old one stays until it is kept.
	RecordGreeting(b *Box, g Greeting, rate int) (Take, error)
	// RemoveGreeting makes the box speak its own words again.
	RemoveGreeting(b *Box, g Greeting) error
}

// Messages keeps the messages. What returns without an error is on the disk.
type Messages interface {
	// Record begins a message: what is written into it survives the end of the program.
	Record(ctx context.Context, m Message, rate int) (Take, error)
	// List returns the messages of a box, the oldest first.
	List(ctx context.Context, box string) ([]Message, error)
	// Save notes that a message was heard.
	Save(ctx context.Context, m Message) error
	// Remove removes messages of a box.
	Remove(ctx context.Context, box string, ids ...string) error
	// Forward puts a copy of a message into the box of another, as a new one.
	Forward(ctx context.Context, m Message, to *Box, by string) error
	// Count returns how many new and saved messages a box has. It must not block.
	Count(box string) (fresh, saved int)
}

// Take is a recording under way. It is kept, or dropped.
type Take interface {
	Recorder
	// File is where it lies; it can be read meanwhile.
	File() string
	// Keep ends the recording and returns when it is on the disk.
	Keep(ctx context.Context, length time.Duration) error
	// Drop removes it. Behind Keep it does nothing.
	Drop()
}
