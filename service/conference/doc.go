// Package conference is the focus of conferences: rooms that are called like people, in which everybody hears the others.
//
// [Conference] takes what is addressed to a room (conference.go) and makes the [Settings] of a room a live one with its first call (room.go). A member is one
// call, into the room or out of it (member.go, invite.go); gate.go asks for the PIN and keeps guessers out; command.go is what members dial in the
// room. roster.go and info.go say who is there, subscribe.go tells the subscribers. refer.go and list.go invite.
//
// stage.go says who is seen by whom, viewer.go has the lines of one member, and reoffer.go adds lines as people come and go.
//
// Sound is mixed by media/session.Room, one loop a room; signalling runs in the stripe of each call. It does not authenticate and it does not route: whoever stands
// in front says who sends, and a [Directory] which rooms there are.
//
// RFC 4353 (the framework); RFC 4579 (the focus and its members); RFC 4575 (who is there); RFC 5366 (whom to invite); RFC 3515 (REFER to the focus); RFC 7667 §3.7 (pictures).
package conference
