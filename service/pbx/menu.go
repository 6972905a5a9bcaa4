// Menus: a caller chooses by keys where to go, dials an extension, or spells a name. The line is sent on by REFER, so that a choice that leads to nobody comes back.

package pbx

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/sip"
)

// Menu is the feature of menus; the object of a call is the menu.
const Menu Feature = "menu"

// MenuSettings are a menu as it is kept. A target is what one could dial, "hangup" or "busy"; the language is changed by a choice that leads to a menu in another.
type MenuSettings struct {
	URI        sip.URI // by which it is called
	Language   string  // "": that of the call
	File       string  // the greeting, a WAV file; "": there is none
	Prompts    []string
	Choices    map[byte]string // targets by key
	Timeout    time.Duration   // how long it waits for a key; 0: 5 s
	Retries    int             // how often it is said again
	Extensions bool            // callers may dial the number of somebody in the house
	ByName     byte            // the key behind which a name is spelled; 0: none
	Otherwise  string          // where a caller goes who presses nothing; "": the call ends
}

// Person is somebody who can be called by name.
type Person struct {
	Number string // of the house
	File   string // their name, spoken by themselves; "": it is not recorded
}

// MenuDirectory knows the menus, and the people of the house.
type MenuDirectory interface {
	// Menu returns a menu by its address. It must not block.
	Menu(uri sip.URI) (MenuSettings, bool)
	// Extension reports whether a number is somebody's in the house of a menu. It must not block.
	Extension(menu sip.URI, number string) bool
	// Spelled returns those whose first or last name begins with what the keys spell ([Spells]), at most so many. It may take its time.
	Spelled(ctx context.Context, menu sip.URI, keys string, most int) ([]Person, error)
}

// Menus is the application of menus, a [Player].
type Menus struct{ Directory MenuDirectory }

const (
	keyGap    = 2 * time.Second // within which the next digit of an extension is dialled
	maxPeople = 8               // of one name; more are to be spelled further
)

// Play implements [Player].
func (ms *Menus) Play(ctx context.Context, l *Line) error {
	set, ok := ms.Directory.Menu(l.Object)
	if !ok {
		return l.Say(ctx, prompt.Text("impossible"))
	}
	l.Language = or(set.Language, l.Language)
	m := &menu{directory: ms.Directory, MenuSettings: set, line: l}
	for range set.Retries + 1 {
		if over, err := m.turn(ctx); over || err != nil {
			return err
		}
	}
	if set.Otherwise != "" {
		if over, err := m.lead(ctx, set.Otherwise); over || err != nil {
			return err
		}
	}
	return l.Say(ctx, prompt.Text("goodbye"))
}

// menu is one caller in a menu.
type menu struct {
	MenuSettings
	directory MenuDirectory
	line      *Line
}

// turn says the menu once and does what is chosen; over is true if the caller has left it.
func (m *menu) turn(ctx context.Context) (over bool, err error) {
	if err := m.greet(ctx); err != nil {
		return false, err
	}
	keys, err := m.read(ctx)
	switch {
	case errors.Is(err, ErrSilent):
		return false, nil
	case err != nil:
		return false, err
	}
	if target, ok := m.Choices[keys[0]]; ok && len(keys) == 1 {
		return m.lead(ctx, target)
	}
	switch {
	case len(keys) == 1 && m.ByName != 0 && keys[0] == m.ByName:
		return m.byName(ctx)
	case m.Extensions && m.directory.Extension(m.URI, keys):
		return m.lead(ctx, keys)
	}
	m.line.Forget()
	return false, m.line.Say(ctx, prompt.Text("invalid"))
}

// greet says what there is to choose; a key ends it.
func (m *menu) greet(ctx context.Context) error {
	switch {
	case m.File != "":
		return (&clip{m.File}).play(ctx, m.line)
	case len(m.Prompts) > 0:
		return m.line.Say(ctx, prompt.Text(m.Prompts...))
	}
	return m.line.Say(ctx, m.choices()...)
}

// choices reads out what a menu without a greeting of its own offers. What there are no words for, such as hours, is left out.
func (m *menu) choices() (words []prompt.Words) {
	for _, key := range slices.Sorted(maps.Keys(m.Choices)) {
		switch target := m.Choices[key]; {
		case dialable(target):
			words = append(words, prompt.Text("for-name"), prompt.Digits(target), prompt.Text("press"), prompt.Digits(string(key)))
		case target == "voicemail" || strings.HasPrefix(target, "voicemail:"):
			words = append(words, prompt.Text("to-message"), prompt.Digits(string(key)))
		}
	}
	if m.ByName != 0 {
		words = append(words, prompt.Text("by-name"), prompt.Digits(string(m.ByName)))
	}
	if m.Extensions {
		words = append(words, prompt.Text("dial-extension"))
	}
	return words
}

// read returns the key of a choice, or the digits of an extension. A key that could be either is a choice unless another digit follows it soon.
func (m *menu) read(ctx context.Context) (string, error) {
	first, err := m.line.Key(ctx, or(m.Timeout, menuWait))
	keys := string(first)
	_, chosen := m.Choices[first]
	if err != nil || !m.Extensions || first == '*' || first == '#' {
		return keys, err
	}
	wait := keyGap
	for len(keys) < maxNumber && (len(keys) == 1 || !m.directory.Extension(m.URI, keys)) {
		key, err := m.line.Key(ctx, wait)
		switch {
		case errors.Is(err, ErrSilent) || key == '#':
			return keys, nil
		case err != nil:
			return "", err
		}
		if keys += string(key); len(keys) == 2 && !chosen {
			wait = menuWait
		}
	}
	return keys, nil
}

// lead sends the caller to a target; over is false if nobody is there and the menu goes on.
func (m *menu) lead(ctx context.Context, target string) (over bool, err error) {
	l := m.line
	switch target {
	case "hangup":
		return true, l.Say(ctx, prompt.Text("goodbye"))
	case "busy":
		l.Bye(ctx, `SIP;cause=486;text="Busy Here"`)
		return true, nil
	}
	if err := l.Say(ctx, prompt.Text("connecting")); err != nil {
		return false, err
	}
	l.Forget()
	status, err := l.Refer(ctx, sip.URI{Scheme: "sip", User: sip.EscapeUser(target), Host: m.URI.Host}, l.Ringing())
	switch {
	case err != nil:
		return false, err
	case status.Success():
		return true, nil
	case status == sip.StatusForbidden:
		return false, l.Say(ctx, prompt.Text("forbidden"))
	}
	return false, l.Say(ctx, prompt.Text("unreachable"))
}

// byName asks for a name and leads to who is meant.
func (m *menu) byName(ctx context.Context) (over bool, err error) {
	keys, err := m.line.ask(ctx, "dial-name", maxNumber)
	if err != nil || keys == "" {
		return false, err
	}
	people, err := m.directory.Spelled(ctx, m.URI, keys, maxPeople)
	if err != nil {
		return false, errors.Join(fmt.Errorf("pbx: look for a name: %w", err), m.line.Say(ctx, prompt.Text("impossible")))
	}
	if len(people) == 0 {
		return false, m.line.Say(ctx, prompt.Text("no-name"))
	}
	for i, p := range people {
		if err := m.offer(ctx, i+1, p); err != nil {
			return false, err
		}
	}
	key, err := m.line.Key(ctx, menuWait)
	switch n := int(key - '1'); {
	case errors.Is(err, ErrSilent):
		return false, nil
	case err != nil:
		return false, err
	case n < 0 || n >= len(people):
		return false, m.line.Say(ctx, prompt.Text("invalid"))
	default:
		return m.lead(ctx, people[n].Number)
	}
}

// offer says one of several people and the key for them.
func (m *menu) offer(ctx context.Context, key int, p Person) error {
	l := m.line
	if p.File == "" {
		return l.Say(ctx, prompt.Text("for-name"), prompt.Digits(p.Number), prompt.Text("press"), prompt.Number(key))
	}
	if err := l.Say(ctx, prompt.Text("for-name")); err != nil {
		return err
	}
	if !l.dialled() {
		if err := (&clip{p.File}).play(ctx, l); err != nil {
			return err
		}
	}
	return l.Say(ctx, prompt.Text("press"), prompt.Number(key))
}

// Spells reports whether keys spell the beginning of a name: of one of its words, with those that follow. ITU-T E.161 §3.
func Spells(name, keys string) bool {
	words := strings.Fields(name)
	for i := range words {
		if spelled := keysOf(words[i:]); keys != "" && strings.HasPrefix(spelled, keys) {
			return true
		}
	}
	return false
}

// keysOf are the keys of words; what is on no key is left out.
func keysOf(words []string) string {
	var keys []byte
	for _, w := range words {
		for _, r := range strings.ToLower(w) {
			if key := keyOf(r); key != 0 {
				keys = append(keys, key)
			}
		}
	}
	return string(keys)
}

// keyOf is the key of a letter or digit, 0 if it is on none. Letters with marks are where those without are.
func keyOf(r rune) byte {
	const letters = "22233344455566677778889999"
	switch {
	case r >= 'a' && r <= 'z':
		return letters[r-'a']
	case r >= '0' && r <= '9':
		return byte(r)
	case strings.ContainsRune("àáâãäåæç", r):
		return '2'
	case strings.ContainsRune("èéêë", r):
		return '3'
	case strings.ContainsRune("ìíîï", r):
		return '4'
	case strings.ContainsRune("ñòóôõöøœ", r):
		return '6'
	case strings.ContainsRune("ßşš", r):
		return '7'
	case strings.ContainsRune("ùúûü", r):
		return '8'
	case strings.ContainsRune("ýÿž", r):
		return '9'
	}
	return 0
}
