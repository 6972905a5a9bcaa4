// A list of URIs in an INVITE: whom the focus is to invite. RFC 5366 §4; RFC 4826 §3.

package conference

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

const (
	listType = "application/resource-lists+xml"
	listTag  = "recipient-list-invite" // the option tag. RFC 5366 §3
	listUse  = "recipient-list"        // the disposition. RFC 5363 §4

	maxList    = 64 << 10
	maxGuests  = 50
	maxListing = 8 // lists within lists
)

var errList = errors.New("conference: no list of resources")

// takeGuests returns whom an INVITE wants invited, and takes the option tag out of it: a dialog does not know it. A status refuses the INVITE.
func takeGuests(ev *sip.Event) ([]sip.URI, sip.Status) {
	req := ev.Request
	if !req.Understood(func(p sip.Part) bool { return p.Type.Type == "application" && (p.Type.Subtype == "sdp" || isList(p)) }) {
		return nil, sip.StatusUnsupportedMediaType
	}
	if req.HasToken(sip.HeaderRequire, listTag) {
		others := slices.DeleteFunc(slices.Collect(req.Values(sip.HeaderRequire)), func(tag string) bool { return strings.EqualFold(tag, listTag) })
		for i := range others {
			others[i] = strings.Clone(others[i])
		}
		req.Remove(sip.HeaderRequire)
		if len(others) > 0 {
			req.Set(sip.HeaderRequire, strings.Join(others, ", "))
		}
	}
	for p, err := range req.Parts() {
		if err != nil {
			return nil, sip.StatusBadRequest
		}
		if isList(p) {
			guests, err := readList(p.Body)
			if err != nil {
				return nil, sip.StatusBadRequest
			}
			return guests, 0
		}
	}
	return nil, 0
}

func isList(p sip.Part) bool {
	return p.Type.Type+"/"+p.Type.Subtype == listType && p.Disposition.Type == listUse
}

// readList returns the URIs of a list, each once, as many as may be invited at once. Entities of a document's own make it an error.
func readList(b []byte) ([]sip.URI, error) {
	if len(b) > maxList {
		return nil, errList
	}
	var uris []sip.URI
	depth := 0
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		token, err := d.Token()
		if err == io.EOF && depth == 0 && uris != nil {
			return uris, nil
		}
		if err != nil {
			return nil, errList
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxListing || depth == 1 && t.Name.Local != "resource-lists" {
				return nil, errList
			}
			if t.Name.Local == "entry" {
				uris = addGuest(uris, t.Attr)
			}
		case xml.EndElement:
			depth--
		}
	}
}

// addGuest adds the URI of an entry, if it is one.
func addGuest(uris []sip.URI, attributes []xml.Attr) []sip.URI {
	for _, a := range attributes {
		if a.Name.Local != "uri" || len(uris) == maxGuests {
			continue
		}
		u, err := sip.ParseURI(a.Value)
		if err != nil || !u.IsSIP() && u.Scheme != "tel" {
			continue
		}
		if u = target(u); !slices.ContainsFunc(uris, u.Equal) {
			uris = append(uris, u)
		}
	}
	return uris
}
