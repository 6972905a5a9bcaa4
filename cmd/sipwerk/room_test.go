package main

import (
	"path/filepath"
	"testing"
)

func TestRoom(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org"}
	for _, l := range []line{
		{args: "account add alice", want: "…"},
		{args: "room list", want: "ROOM  TITLE  SETTINGS\n"},
		{args: "room list --json", want: "[]\n"},
		{args: "room add 4000 --title Sales --pin 1234 --owner alice --max 9", want: "room    4000\ndomain  example.org\n"},
		{args: "room add board --pin new --moderator-pin new", want: "room           board\ndomain         example.org\npin            …\nmoderator-pin  …\nA PIN is shown this once and not kept.\n"},
		{args: "room add conference --factory --json", want: `{"domain":"example.org","number":"conference",…"factory":true}` + "\n"},
		{args: "room add alice", code: 1, fails: "sipwerk: room alice: number: alice is taken by the account of this number; choose another\n"},
		{args: "room add 4001 --pin 12", code: 1, fails: "sipwerk: room 4001: pin: is no PIN; write 4 to 16 digits, new to have one made, or none\n"},
		{args: "account add 4000", code: 1, fails: "sipwerk: 4000@example.org exists already; …"},
		{args: "room set 4000 --pin none --record --wait-for-moderator --mute-on-entry --quiet", want: "room    4000\n…"},
		{args: "room set 4000 --json --moderator-pin new", want: `{…"title":"Sales","pin":false,"moderator-pin":true,"owners":["alice"],"max":9,…"new-moderator-pin":"…"}` + "\n"},
		{args: "room set 9", code: 1, fails: "sipwerk: room 9@example.org does not exist; `sipwerk room list` shows what there is\n"},
		{args: "room list", want: "ROOM                    TITLE  SETTINGS\n4000@example.org        Sales  moderator-pin owner=alice max=9 wait-for-moderator mute-on-entry quiet record\nboard@example.org" +
			"              pin moderator-pin\nconference@example.org         factory\n"},
		{args: "room show board", want: "…DIAL    WHO         IT\n*6      everybody   mutes or unmutes yourself\n…"},
		{args: "room show board --lang de", want: "…*6      alle         schaltet Sie stumm oder wieder laut\n…"},
		{args: "room show board --json", want: `{…"pin":true,…}` + "\n"},
		{args: "room show 9", code: 1, fails: "sipwerk: room 9@example.org does not exist; …"},
		{args: "room remove board", want: "board@example.org is removed\n"},
		{args: "room remove board", code: 1, fails: "sipwerk: room board@example.org does not exist; …"},
		{args: "room add", code: 2, fails: "sipwerk: give NUMBER\n`sipwerk room add --help` tells more\n"},
	} {
		l.run(t, dir, env)
	}
}
