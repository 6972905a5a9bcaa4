package event_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
)

// doors is a source: which of the doors of a house are open.
type doors map[string]bool

func (d doors) Find(ev *sip.Event) (string, error) {
	name := ev.Request.URI.UserName()
	if _, ok := d[name]; !ok {
		return "", sip.StatusNotFound
	}
	return name, nil
}

func (d doors) Notice(n event.Notice) event.Document {
	return event.Document{Type: n.Type, Bytes: fmt.Appendf(nil, "open: %t", d[n.Resource])}
}

// A package of one's own: put the notifier behind a table of dialogs, and say when something changes.
func Example() {
	house := doors{"front": false}
	n := &event.Notifier{Packages: []*event.Package{{Name: "door", Types: []string{"text/plain"}, Source: house}}}
	table := &dialog.Table{Next: n} // the Handler of a stack
	house["front"] = true
	n.Changed("door", "front")
	fmt.Println(n.AllowEvents(), n.Len(), table.Len())
	// Output: door 0 0
}

// What is published of a resource is what its subscribers are told.
func ExampleCompositor() {
	house := doors{"front": false}
	n := &event.Notifier{Packages: []*event.Package{{Name: "door", Types: []string{"text/plain"}, Source: house}}}
	c := &event.Compositor{Packages: []*event.Published{{Name: "door", Types: []string{"text/plain"}, Find: house.Find, Changed: n.Changed}}}
	mux := new(sip.Mux)
	mux.Handle("SUBSCRIBE", n)
	mux.Handle("PUBLISH", c)
	fmt.Println(len(c.Published("door", "front")))
	// Output: 0
}
