// Lists of whom to invite, and what else may stand there. RFC 5366 §4, RFC 5363 §4, RFC 4826 §3.

package conference

import (
	"fmt"
	"strings"
	"testing"
)

const listHead = `<?xml version="1.0" encoding="UTF-8"?><resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol">`

func lists() map[string]int {
	many := strings.Repeat(`<entry uri="sip:a@example.org"/>`, 3)
	for i := range 100 {
		many += fmt.Sprintf(`<entry uri="sip:%d@example.org"/>`, i)
	}
	return map[string]int{
		listHead + `<list><entry uri="sip:bill@example.com" cp:copyControl="to"/><entry uri="sips:joe@example.org;method=BYE?Subject=x"/></list></resource-lists>`: 2,
		listHead + `<list><entry uri="tel:+49"/><entry uri="mailto:a@b"/><entry uri="sip:"/><entry/></list></resource-lists>`:                                      1,
		listHead + `<list>` + many + `</list></resource-lists>`:                                                                                                    maxGuests,
		listHead + `<list></list></resource-lists>`:                                                                                                                -1,
		`<other><entry uri="sip:a@b"/></other>`:                                                                                                                    -1,
		listHead + `<list><entry uri="sip:a@b"/>`:                                                                                                                  -1,
		`<!DOCTYPE a [<!ENTITY x "sip:a@b">]>` + listHead + `<list><entry uri="&x;"/></list></resource-lists>`:                                                     -1,
		listHead + strings.Repeat("<list>", 9) + `<entry uri="sip:a@b"/>` + strings.Repeat("</list>", 9) + `</resource-lists>`:                                     -1,
		strings.Repeat("x", maxList+1):                                                                                                                             -1,
		"":                                                                                                                                                         -1,
	}
}

func TestReadList(t *testing.T) {
	for text, want := range lists() {
		uris, err := readList([]byte(text))
		if (err != nil) != (want < 0) || err == nil && len(uris) != want {
			t.Errorf("%.200s: %v, %v", text, uris, err)
		}
		for _, u := range uris {
			if u.Headers != "" || strings.Contains(string(u.Params), "method") {
				t.Errorf("%s keeps what is not for a Request-URI", u)
			}
		}
		for i := range min(len(text), 600) {
			_, _ = readList([]byte(text[:i])) // politely
		}
	}
}

func FuzzReadList(f *testing.F) {
	for text := range lists() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		uris, err := readList(b)
		if err == nil && (len(uris) == 0 || len(uris) > maxGuests) {
			t.Errorf("%d URIs", len(uris))
		}
	})
}
