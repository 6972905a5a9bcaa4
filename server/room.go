// Conference rooms: what the conference service asks of the directory, who may ask it for what, and what becomes of its calls. RFC 4579, RFC 4575.

package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/media/video"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
)

// openConferences makes the conference service, and has the notifier say who is there. voice is what is spoken; pictures are added to it.
func (s *Server) openConferences(ds *domains, site *session.Site, l *locator, voice session.Voice) {
	if s.Config.Media.Video {
		voice.Pictures, voice.Keeps = session.PictureCodecs(), video.KeepTime
	}
	s.roomJournal = &roomJournal{log: s.log, records: s.records}
	s.conferences = &conference.Conference{
		Dialogs:    s.dialogs,
		Media:      site,
		Voice:      voice,
		Rooms:      &rooms{ds, s.tapes},
		Identity:   members{ds},
		Locator:    &guests{domains: ds, registrar: s.registrar, locator: l, plan: func(domain string) *dialplan.Plan { return s.dial.plan(domain) }, inside: s.inside},
		Observer:   s.roomJournal,
		Recordings: s.recordings(),
		MaxCalls:   s.Config.Limits.Calls,
		Multicast:  s.multicast,
	}
	s.events.Packages, s.events.Account = append(s.events.Packages, s.registrar.Package(), s.conferences.Package()), s.conferences.Account
	s.conferences.Events = s.events
}

// rooms finds rooms in the directory.
type rooms struct {
	domains *domains
	tapes   *tapes
}

// Room implements [conference.Directory]. To an address of ours the room of the sender's domain comes first: telephones know a conference by the Contact of its focus,
// and that is an address.
func (r *rooms) Room(req *sip.Request) (conference.Settings, bool) {
	if r.domains.hosts.own(req.URI.Host) {
		if set, ok := r.in(r.domains.sender(req), req.URI); ok {
			return set, true
		}
	}
	return r.in(r.domains.of(req.URI), req.URI)
}

func (r *rooms) in(d *domain, uri sip.URI) (conference.Settings, bool) {
	if d == nil {
		return conference.Settings{}, false
	}
	set := d.directory.Settings(d.name)
	if page, ok := set.Pages[uri.UserName()]; ok {
		return d.page(page), true
	}
	room, ok := set.Rooms[uri.UserName()]
	if !ok {
		return conference.Settings{}, false
	}
	called := d.room(room)
	called.Encoding = r.tapes.encoding(set)
	return called, true
}

// room are the settings of a room of the domain.
func (d *domain) room(r *object.Room) conference.Settings {
	set := conference.Settings{
		URI: d.uri(r.Number), Title: r.Title, PIN: conference.PIN(r.PIN), Moderator: conference.PIN(r.ModeratorPIN), MaxMembers: r.MaxMembers,
		WaitForModerator: r.WaitForModerator, MuteOnEntry: r.MuteOnEntry, Quiet: r.Quiet, Record: r.Record, Factory: r.Factory,
	}
	for _, owner := range r.Owners {
		uri := d.uri(owner)
		set.Owners = append(set.Owners, uri.String())
	}
	return set
}

// members says who sends a request to a room.
type members struct{ domains *domains }

// Identify implements [conference.Identity]. Whoever calls by a number of an account is that account.
func (m members) Identify(ev *sip.Event) sip.Address {
	who := m.domains.Identify(ev)
	if who.Address.URI.Host != "" && who.Account.Host != "" {
		who.Address.URI = who.Account
	}
	return who.Address
}

// guests finds the devices of whoever is invited: those of accounts of ours, and for groups and numbers outside the router, which asks the dial plan and its brakes as if who invites had
// dialled.
type guests struct {
	domains   *domains
	registrar *registrar.Registrar
	locator   *locator
	plan      func(domain string) *dialplan.Plan
	inside    func() sip.Flow
}

// Lookup implements [conference.Locator].
func (g *guests) Lookup(by string, uri sip.URI) (sip.URI, []conference.Binding, bool) {
	account, ok := g.registrar.Resolve(uri)
	if !ok {
		return g.beyond(by, uri)
	}
	found := g.locator.Lookup(account)
	devices := make([]conference.Binding, 0, len(found))
	for _, b := range found {
		if !b.Spare { // RFC 5626 §7: one flow of a device
			devices = append(devices, conference.Binding{Target: b.Target, Path: b.Path, To: b.To, Remote: b.Remote, Local: b.Local, Kind: b.Kind})
		}
	}
	return account, devices, true
}

// beyond is the way to whoever is no account: the router refuses whom the plan refuses. No application is invited: a room in a room would hear itself.
func (g *guests) beyond(by string, uri sip.URI) (name sip.URI, way []conference.Binding, ok bool) {
	d := g.domains.of(uri)
	flow := g.inside()
	if d == nil || flow.IsZero() {
		return name, nil, false
	}
	call := dialplan.Call{Dialled: dialled(uri), At: time.Now()}
	b := conference.Binding{Inside: true, To: sip.Destination{Flow: flow}}
	if payer, err := sip.ParseURI(by); err == nil {
		if home, account, ok := g.domains.account(payer); ok && home == d {
			b.Payer, call.Caller = d.uri(account), dialplan.Caller{Account: account, Number: account}
		}
	}
	plan := g.plan(d.name)
	if plan == nil {
		return name, nil, false
	}
	decision := plan.Decide(call)
	if decision.Action == dialplan.Enter || decision.Action == dialplan.Refuse && decision.Refusal.Why == dialplan.Unknown {
		return name, nil, false
	}
	name = d.uri(sip.EscapeUser(call.Dialled))
	b.Target = name
	b.Target.Params = b.Target.Params.With("user", dialString)
	return name, []conference.Binding{b}, true
}

// RoomCommands returns what members of a conference can dial.
func RoomCommands() []conference.Command { return conference.Commands() }

// RoomReport is how things stand in a conference room in use.
type RoomReport struct {
	Room      string         `json:"room"`
	Title     string         `json:"title,omitempty"`
	Locked    bool           `json:"locked,omitempty"`
	Recording bool           `json:"recording,omitempty"`
	Members   []MemberReport `json:"members"`
}

// MemberReport is one call of somebody who is in a room or is called to it.
type MemberReport struct {
	Member    string    `json:"member"`
	Display   string    `json:"display,omitempty"`
	State     string    `json:"state"`
	Moderator bool      `json:"moderator,omitempty"`
	Muted     bool      `json:"muted,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Video     string    `json:"video,omitempty"` // see [conference.MemberStatus]
}

// Marks are the words for what is special about the room: whoever translates needs those of [RoomWords].
func (r *RoomReport) Marks() (marks []string) {
	if r.Locked {
		marks = append(marks, "locked")
	}
	if r.Recording {
		marks = append(marks, "recording")
	}
	return marks
}

// Marks are the words for how a member is.
func (m *MemberReport) Marks() []string {
	marks := []string{m.State}
	if m.Moderator {
		marks = append(marks, "moderator")
	}
	if m.Muted {
		marks = append(marks, "muted")
	}
	return marks
}

// Sight says in words what a member shows and sees, "" if it has no pictures.
func (m *MemberReport) Sight() string {
	switch m.Video {
	case "sendrecv":
		return "is seen, sees"
	case "sendonly":
		return "is seen, sees nobody"
	case "recvonly":
		return "is not seen, sees"
	case "inactive":
		return "is not seen, sees nobody"
	}
	return ""
}

// RoomWords returns what the reports of rooms say in words.
func RoomWords() []string {
	return []string{"locked", "recording", "dialing-out", "alerting", "connected", "on-hold", "moderator", "muted",
		"is seen, sees", "is seen, sees nobody", "is not seen, sees", "is not seen, sees nobody"}
}

// RoomReports returns how things stand in all rooms in use.
func (s *Server) RoomReports() (all []RoomReport) {
	bare := func(name string) string { return strings.TrimPrefix(name, "sip:") }
	for _, r := range s.conferences.Status() {
		report := RoomReport{Room: bare(r.Room), Title: r.Title, Locked: r.Locked, Recording: r.Recording, Members: []MemberReport{}}
		for _, m := range r.Members {
			report.Members = append(report.Members, MemberReport{bare(m.Member), m.Display, m.State, m.Moderator, m.Muted, m.Since, m.Video})
		}
		all = append(all, report)
	}
	return all
}

// controlRooms takes the orders of commands.
func (s *Server) controlRooms() {
	s.control.Handle("GET /rooms", replies(func(*http.Request) []RoomReport { return s.RoomReports() }))
	s.control.Handle("POST /rooms/invite", func(ctx context.Context, r *http.Request, _ func(any) error) error {
		var o InviteOrder
		if err := control.Decode(r, &o); err != nil {
			return err
		}
		return s.Invite(ctx, o)
	})
}

// InviteOrder is who is to be called by a room in use. Names without a domain belong to the first one; Whom is whatever From could dial, who pays for a call to the outside. From is the first
// owner of the room if it is "".
type InviteOrder struct {
	Room string `json:"room"`
	Whom string `json:"whom"`
	From string `json:"from,omitempty"`
}

// Invite has a room call somebody, and returns when they are in it; the error is one sentence if they are not.
func (s *Server) Invite(ctx context.Context, o InviteOrder) error {
	room, err := sip.ParseURI(s.lampName(o.Room))
	if err != nil {
		return fmt.Errorf("%q is no room: %w", o.Room, err)
	}
	whom, err := sip.ParseURI(s.lampName(o.Whom))
	if err != nil {
		return fmt.Errorf("%q cannot be called: %w", o.Whom, err)
	}
	set := s.directory.Settings(room.Host).Rooms[room.UserName()]
	switch {
	case set == nil:
		return fmt.Errorf("there is no room %s; see sipwerk room list", o.Room)
	case o.From == "" && len(set.Owners) > 0:
		o.From = set.Owners[0] + "@" + room.Host
	}
	by := ""
	if o.From != "" {
		by = s.lampName(o.From)
	}
	answered := make(chan sip.Status, 1)
	ok := s.conferences.Invite(s.stack, room, by, whom, func(status sip.Status) {
		if status >= 200 {
			answered <- status
		}
	})
	if !ok {
		return fmt.Errorf("nobody is in the room %s; it calls others when somebody is there", o.Room)
	}
	select {
	case status := <-answered:
		if !status.Success() {
			return fmt.Errorf("%s does not come: %w", o.Whom, status)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// roomJournal is told of conferences.
type roomJournal struct {
	log     *slog.Logger
	records *records
	joined  atomic.Uint64
	talked  atomic.Int64 // all members together, in nanoseconds
	refused atomic.Uint64
}

// ObserveMember implements [conference.Observer].
func (j *roomJournal) ObserveMember(d *conference.Detail) {
	who := []any{"call", d.ID, "room", d.Room, "member", d.Member, "call-id", d.CallID}
	switch d.Phase {
	case conference.Started:
		j.log.Debug("conference call started", append(who, "invited", d.Invited)...)
	case conference.WrongPIN:
		j.log.Warn("wrong PIN of a conference room", who...)
	case conference.Joined:
		j.joined.Add(1)
		j.log.Info("joined a conference", append(who, "invited", d.Invited, "moderator", d.Moderator)...)
	case conference.Ended:
		j.end(d, who)
	}
}

func (j *roomJournal) end(d *conference.Detail, who []any) {
	if !d.Inside {
		j.records.member(d)
	}
	j.talked.Add(int64(d.Duration()))
	if d.Join.IsZero() {
		j.refused.Add(1)
	}
	who = append(who, "status", int(d.Status), "by", d.By.String(), "invited", d.Invited)
	if d.Reason != "" {
		who = append(who, "reason", d.Reason)
	}
	if d.Err != nil {
		who = append(who, "err", d.Err)
	}
	if !d.Join.IsZero() {
		who = append(who, "stayed", d.Duration().Round(time.Millisecond), "packets", d.Media.Received.Packets, "lost", d.Media.Received.Lost)
	}
	j.log.Info("conference call ended", who...)
}

// ObserveRoom implements [conference.Observer].
func (j *roomJournal) ObserveRoom(ev conference.RoomEvent) {
	switch {
	case ev.What == "silent":
		j.log.Error("loudspeakers of a page cannot be reached", "room", ev.Room, "err", ev.Err)
	case ev.Err != nil:
		j.log.Error("the recording of a conference failed", "room", ev.Room, "file", ev.File, "err", ev.Err)
	case ev.File != "":
		j.log.Info("conference "+ev.What, "room", ev.Room, "file", ev.File)
	default:
		j.log.Info("conference "+ev.What, "room", ev.Room)
	}
}
