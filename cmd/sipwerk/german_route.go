// The German texts of `sipwerk route`, and what the steps of a dial plan say.

package main

// germanRouteTexts maps the English text to the German one. Nothing writes to it.
var germanRouteTexts = map[string]string{
	"Explain and test where calls go": "Erklären und prüfen, wohin Anrufe gehen",
	"The dial plan decides where a call goes: `sipwerk dialplan set` changes it, and these commands show what it does. They call nobody, ask no webhook, and need no server that runs.\n" +
		"Where telephones are registered and which limits are used up does not count here.": "Der Wählplan entscheidet, wohin ein Anruf geht: `sipwerk dialplan set` ändert ihn, und diese Befehle zeigen, was er tut. Sie rufen niemanden an, fragen keinen Webhook und\n" +
		"brauchen keinen laufenden Server. Welche Telefone angemeldet und welche Grenzen erreicht sind, zählt hier nicht.",
	"Show step by step where a call would go": "Schritt für Schritt zeigen, wohin ein Anruf ginge",
	"Shows what the dial plan would do with a call, step by step. Without --after the path is shown on which nobody answers.\n" +
		"WHO is an account, a number outside, trunk:NAME or trunk:NAME/NUMBER, or anonymous.": "Zeigt Schritt für Schritt, was der Wählplan mit einem Anruf täte. Ohne --after wird der Weg gezeigt, auf dem niemand abnimmt.\n" +
		"WHO ist ein Konto, eine Nummer draußen, trunk:NAME oder trunk:NAME/NUMMER oder anonymous.",
	"who calls":       "wer anruft",
	"what is dialled": "was gewählt wird",
	"when: sunday 22:00, 2026-12-24 18:00 (now)":                                                                 "wann: sonntag 22:00, 2026-12-24 18:00 (jetzt)",
	"what became of the steps before: busy, no-answer, offline, declined or refused; may be given several times": "was aus den Schritten davor wurde: busy, no-answer, offline, declined oder refused; mehrfach möglich",
	"%s dials %s on %s\n":                "%s wählt %s am %s\n",
	"if the line is busy":                "wenn besetzt ist",
	"if nobody answers":                  "wenn niemand abnimmt",
	"if no telephone is there":           "wenn kein Telefon da ist",
	"if the call is declined":            "wenn der Anruf abgelehnt wird",
	"if the call is refused":             "wenn der Anruf abgewiesen wird",
	" (rings for %s)":                    " (klingelt %s)",
	"Run the tests beside the dial plan": "Die Prüfungen des Wählplans ausführen",
	"Runs the tests of the dial plan as it stands. They also run at every change of it, and one that fails keeps the change from going live.\n" +
		"Exit codes: 0 all are right; 1 one is not.": "Führt die Prüfungen des Wählplans aus, wie er ist. Sie laufen auch bei jeder Änderung, und eine, die misslingt, hält die Änderung auf.\n" +
		"Exit-Codes: 0 alle stimmen; 1 eine stimmt nicht.",
	"the dial plan has no tests; `sipwerk dialplan set --test` adds one\n": "der Wählplan hat keine Prüfungen; `sipwerk dialplan set --test` fügt eine hinzu\n",
	"right  %s: %s\n":               "stimmt  %s: %s\n",
	"WRONG  %s: %s instead of %s\n": "FALSCH  %s: %s statt %s\n",
	"%d tests, %d of them fail\n":   "%d Prüfungen, davon misslingen %d\n",

	// the steps
	"%s calls %s":                                                       "%s ruft %s an",
	"somebody outside calls %s":                                         "jemand von draußen ruft %s an",
	"a call to %s comes in by the trunk %s":                             "ein Anruf für %s kommt über die Leitung %s herein",
	"%s transfers a call to %s":                                         "%s verbindet einen Anruf mit %s",
	"a telephone of %s sends a call on to %s":                           "ein Telefon von %s leitet einen Anruf an %s um",
	"%s is an emergency number: no rule and no limit applies":           "%s ist ein Notruf: keine Regel und keine Grenze gilt",
	"%s was asked for: that is %s here":                                 "verlangt ist %s: das ist hier %s",
	"the short number %s stands for %s":                                 "die Kurzwahl %s steht für %s",
	"rule %s: its condition holds":                                      "Regel %s: ihre Bedingung trifft zu",
	"rule %s: its condition does not hold":                              "Regel %s: ihre Bedingung trifft nicht zu",
	"rule %s fails: %s":                                                 "Regel %s misslingt: %s",
	"rule %s asks its %s":                                               "Regel %s fragt: %s",
	"rule %s says %s":                                                   "Regel %s sagt %s",
	"rule %s says nothing":                                              "Regel %s sagt nichts",
	"rule %s falls back to %s":                                          "Regel %s weicht aus auf %s",
	"%s is the %s":                                                      "%s ist: %s",
	"%s is the number %s":                                               "%s ist die Nummer %s",
	"it belongs to %s, class %s":                                        "sie gehört zu %s, Art %s",
	"the trunk sends calls to %s to %s":                                 "die Leitung gibt Anrufe für %s an %s",
	"the trunk sends every other call to %s":                            "die Leitung gibt jeden anderen Anruf an %s",
	"nothing is called %s":                                              "nichts heißt %s",
	"there is no trunk that leads outside":                              "keine Leitung führt nach draußen",
	"%s forwards every call to %s":                                      "%s leitet jeden Anruf an %s um",
	"%s forwards every call to the caller, who reaches it all the same": "%s leitet jeden Anruf an den Anrufer um, der es trotzdem erreicht",
	"%s does not want to be disturbed":                                  "%s will nicht gestört werden",
	"%s rings for %s":                                                   "%s klingelt %s lang",
	"%s rings":                                                          "%s klingelt",
	"%s: %s":                                                            "%s: %s",
	"the call goes on to %s":                                            "der Anruf geht weiter an %s",
	"the call goes to the voicemail of %s":                              "der Anruf geht an die Mailbox von %s",
	"%s has no voicemail":                                               "%s hat keine Mailbox",
	"the group %s rings: %s":                                            "die Gruppe %s klingelt: %s",
	"%s is left out: it does not want to be disturbed":                  "%s bleibt aus: will nicht gestört werden",
	"%s is left out: nothing is called so":                              "%s bleibt aus: nichts heißt so",
	"%s is left out: it may not be called":                              "%s bleibt aus: darf nicht angerufen werden",
	"nobody of the group %s can ring":                                   "in der Gruppe %s kann niemand klingeln",
	"the hours %s: open (%s)":                                           "die Zeiten %s: offen (%s)",
	"the hours %s: closed (%s)":                                         "die Zeiten %s: geschlossen (%s)",
	"the %s %s takes the call":                                          "%s %s nimmt den Anruf",
	"the call is refused with %s: %s":                                   "der Anruf wird mit %s abgewiesen: %s",
	"the call comes to %s again: it is not diverted in a circle":        "der Anruf käme wieder zu %s: im Kreis wird nicht umgeleitet",
	"the call has been diverted %s times: that is enough":               "der Anruf ist %s-mal umgeleitet worden: das ist genug",
	"nothing more is to be tried":                                       "mehr ist nicht zu versuchen",
	"%s may be called":                                                  "%s darf angerufen werden",
	"%s may be called: its beginning %s is open":                        "%s darf angerufen werden: der Anfang %s ist offen",
	"the night lock holds: %s":                                          "die Nachtsperre gilt: %s",

	// the codes
	"forwards every call to NUMBER (*21*NUMBER), or to the voicemail":                "leitet jeden Anruf an NUMMER um (*21*NUMMER), oder an die Mailbox",
	"forwards calls that nobody answers to NUMBER (*61*NUMBER), or to the voicemail": "leitet Anrufe ohne Antwort an NUMMER um (*61*NUMMER), oder an die Mailbox",
	"forwards calls without a telephone to NUMBER (*62*NUMBER), or to the voicemail": "leitet Anrufe an NUMMER um, wenn kein Telefon da ist (*62*NUMMER), oder an die Mailbox",
	"forwards calls during a call to NUMBER (*67*NUMBER), or to the voicemail":       "leitet Anrufe während eines Gesprächs an NUMMER um (*67*NUMMER), oder an die Mailbox",
	"does not disturb: callers hear that the line is busy (#26 ends it, *#26 tells)": "stört nicht: Anrufer hören besetzt (#26 beendet es, *#26 sagt es)",
}
