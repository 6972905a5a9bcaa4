// What fields may hold: the words of their tag "is", and the checks that go for every kind.

package object

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// maxItems is how many items a list may have.
const maxItems = 10_000

// rules are the values of the tag "is", with what is wrong with a text that is not so: "" for nothing.
var rules = map[string]func(text string) string{
	"account":     problemOf(CheckUser),
	"account*":    func(s string) string { return unless(s == "*", s, problemOf(CheckUser)) },
	"number":      problemOf(CheckUser),
	"dial":        checkDial,
	"target":      func(s string) string { _, err := ParseTarget(s); return problem(err) },
	"trunk":       checkWord,
	"word":        checkWord,
	"text":        problemOf(CheckName),
	"lines":       checkLines,
	"key":         func(s string) string { return unless(len(s) == 1 && strings.Contains("0123456789*#", s), s, checkKey) },
	"digits":      checkDigits,
	"iso":         checkCountry,
	"zone":        checkZone,
	"e164":        checkBlock,
	"rule-target": problemOf(CheckName),
	"inbound":     checkInbound,
	"rewrite":     checkRewrite,
	"prefix":      checkPrefix,
	"group":       checkGroup,
	"address":     checkAddress,
	"host":        checkHost,
	"url":         checkURL,
	"mail":        checkMail,
	"file":        checkLines,
	"music":       checkMusic,
}

// CheckUser reports what is wrong with a user name. Taken are the signs that need no escape in a SIP URI (RFC 3261 §25.1, unreserved, and "+").
func CheckUser(user string) error {
	switch {
	case user == "":
		return errors.New("is empty; give one")
	case len(user) > 64:
		return errors.New("is longer than 64 bytes; shorten it")
	}
	for _, r := range user {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.!~*'()+", r) {
			return fmt.Errorf("holds %q; use letters, digits and -_.!~*'()+", r)
		}
	}
	return nil
}

// CheckName reports what is wrong with a display name.
func CheckName(name string) error {
	switch {
	case len(name) > 128:
		return errors.New("is longer than 128 bytes; shorten it")
	case strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errors.New("holds a control character; leave it out")
	}
	return nil
}

func problem(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func problemOf(check func(string) error) func(string) string {
	return func(s string) string { return problem(check(s)) }
}

// unless is nothing where ok, and what check says otherwise.
func unless(ok bool, s string, check func(string) string) string {
	if ok {
		return ""
	}
	return check(s)
}

func checkKey(string) string { return "is no key; write a digit, * or #" }

func checkDial(s string) string {
	if t, err := ParseTarget(s); err != nil || t.Kind != TargetDial {
		return "is nothing that can be dialled; write an account or a number"
	}
	return ""
}

func checkWord(s string) string {
	if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.+", r)
	}) {
		return "is no name; use up to 64 letters, digits and -_.+"
	}
	return ""
}

func checkLines(s string) string {
	if len(s) > 64<<10 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
		return "is longer than 64 KiB or holds a control character; shorten it"
	}
	return ""
}

func checkDigits(s string) string {
	if len(s) > 15 || strings.Trim(s, "0123456789") != "" {
		return "is no number of up to 15 digits; write digits only"
	}
	return ""
}

func checkCountry(s string) string {
	if s == "all" {
		return ""
	}
	if len(s) != 2 || s[0] < 'A' || s[0] > 'Z' || s[1] < 'A' || s[1] > 'Z' {
		return "is no country; write its two capital letters of ISO 3166, such as DE"
	}
	return ""
}

func checkZone(s string) string {
	if _, err := time.LoadLocation(s); err != nil {
		return "is no time zone; write one such as Europe/Berlin"
	}
	return ""
}

// checkBlock takes a number of E.164 or a block FIRST-LAST.
func checkBlock(s string) string {
	if _, err := Expand(s); err != nil {
		return "is no number; write + and the digits with the country code such as +4930123456, or FIRST-LAST"
	}
	return ""
}

func checkHost(s string) string {
	if len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("/@?#<>\"\\", r) }) {
		return "is no host; write a name or an address, with :PORT if needed"
	}
	return ""
}

func checkURL(s string) string {
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "is no address of the web; write one such as https://example.org/hook"
	}
	return ""
}

func checkMusic(s string) string {
	if strings.Contains(s, "://") {
		return unless(checkURL(s) == "", s, func(string) string { return "is no stream of the web; write an http or https address" })
	}
	if len(s) > 1024 || strings.HasSuffix(s, "/") {
		return "is no file; write tune, none, a file, or the address of a stream"
	}
	return checkLines(s)
}

func checkMail(s string) string {
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return "is no mail address; write one such as alice@example.org"
	}
	return ""
}

// checkFields checks what the tags say of each field of o.
func checkFields(o Object) error {
	k := KindOf(o)
	for _, f := range k.Fields() {
		v := f.value(o)
		if f.Key && v.String() == "" {
			return Fault(o, f.Name, "is empty; give one")
		}
		if p := checkValue(v, f); p != "" {
			return Fault(o, f.Name, "%s", p)
		}
	}
	return nil
}

// checkValue says what is wrong with the value of a field.
func checkValue(v reflect.Value, f Field) string {
	switch v.Kind() {
	case reflect.String:
		return f.checkText(v.String())
	case reflect.Int, reflect.Int64:
		return f.checkRange(v)
	case reflect.Slice:
		if v.Len() > maxItems {
			return fmt.Sprintf("has more than %d items; take some out", maxItems)
		}
		seen := make(map[string]bool)
		for i := range v.Len() {
			item := v.Index(i)
			if p := checkItem(item, f); p != "" {
				return p
			}
			if item.Kind() == reflect.String && seen[item.String()] {
				return fmt.Sprintf("%s is named twice; keep one", item)
			}
			if item.Kind() == reflect.String {
				seen[item.String()] = true
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if p := checkItem(v.MapIndex(key), f); p != "" {
				return p
			}
		}
	}
	return ""
}

// checkItem says what is wrong with one item of a list: a text, or a struct with fields of its own.
func checkItem(v reflect.Value, f Field) string {
	if v.Kind() == reflect.String {
		if v.String() == "" {
			return "holds nothing as an item; take it out"
		}
		return f.checkText(v.String())
	}
	for _, sf := range reflect.VisibleFields(v.Type()) {
		if sf.Tag.Get("json") == "" {
			continue
		}
		inner := fieldOf(sf)
		if p := checkValue(v.FieldByIndex(sf.Index), inner); p != "" {
			return inner.Name + ": " + p
		}
	}
	return ""
}

// checkText says what is wrong with a text; an empty one is no value and good.
func (f Field) checkText(s string) string {
	if len(f.Choices) > 0 && !slices.Contains(f.Choices, s) {
		return fmt.Sprintf("%q is not known; write one of %s", s, strings.TrimPrefix(strings.Join(f.Choices, ", "), ", "))
	}
	check := rules[f.Is]
	if s == "" || check == nil {
		return ""
	}
	if p := check(s); p != "" {
		return fmt.Sprintf("%q %s", s, p)
	}
	return ""
}

// checkRange says whether a number or a time span is beyond its range.
func (f Field) checkRange(v reflect.Value) string {
	if n := v.Int(); !f.hasLimits || f.least <= n && n <= f.most {
		return ""
	}
	least, most := reflect.New(v.Type()).Elem(), reflect.New(v.Type()).Elem()
	least.SetInt(f.least)
	most.SetInt(f.most)
	return fmt.Sprintf("%s is not from %s to %s; write a value between them", Text(v), Text(least), Text(most))
}
