// Conference rooms. RFC 4579.

package object

// Room is a conference room. A conference under way keeps the settings with which it began.
type Room struct {
	Number           string   `json:"number" is:"number" doc:"What is dialled: a number or a name."`
	Title            string   `json:"title" is:"text" doc:"What the room is called on displays." example:"Sales"`
	PIN              PIN      `json:"pin" doc:"4 to 16 digits that are asked of callers; new makes a PIN and shows it once, none asks for nothing." example:"new"`
	ModeratorPIN     PIN      `json:"moderator-pin" doc:"The same, for who becomes a moderator by it." example:"new"`
	Owners           []string `json:"owners" flag:"owner" is:"account" doc:"Accounts that are moderators without a PIN." example:"200"`
	MaxMembers       int      `json:"max" range:"0,100000" doc:"Members at once; 0: as many as the server lets." example:"20"`
	WaitForModerator bool     `json:"wait-for-moderator" doc:"Nobody hears anything before a moderator is there."`
	MuteOnEntry      bool     `json:"mute-on-entry" doc:"Whoever comes is muted, but for moderators."`
	Quiet            bool     `json:"quiet" doc:"No tones when somebody comes or goes."`
	Record           bool     `json:"record" doc:"Every conference is recorded, in the folder recordings."`
	Factory          bool     `json:"factory" doc:"Each call makes a room of its own (conference factory)."`
}

// Check implements [Object].
func (r *Room) Check() error { return checkFields(r) }
