// The German texts. A test holds that every text of the commands is here.

package main

// germanTexts maps the English text to the German one. Nothing writes to it.
var germanTexts = map[string]string{
	// the help
	"Usage:":                  "Aufruf:",
	"Aliases:":                "Andere Namen:",
	"Examples:":               "Beispiele:",
	"Available Commands:":     "Befehle:",
	"Additional help topics:": "Weitere Hilfe:",
	"Global Flags:":           "Schalter aller Befehle:",
	"Flags:":                  "Schalter:",
	`Use "{{.CommandPath}} [command] --help" for more information about a command.`: `"{{.CommandPath}} [Befehl] --help" sagt mehr über einen Befehl.`,
	"Help about a command":                                    "Hilfe zu einem Befehl",
	"Completion for your shell":                               "Vervollständigung für die Shell",
	"help about this command":                                 "Hilfe zu diesem Befehl",
	"language of the texts: en or de; otherwise that of LANG": "Sprache der Texte: en oder de; sonst die von LANG",
	"`%s --help` tells more":                                  "`%s --help` sagt mehr",
	"give %s":                                                 "es fehlt: %s",
	"%q is too much":                                          "%q ist zu viel",
	"write JSON":                                              "JSON schreiben",
	"A SIP server in one program":                             "Ein SIP-Server in einem Programm",
	"Sipwerk registers telephones and connects their calls. `sipwerk demo` shows a first call; `sipwerk serve` is the server.": "Sipwerk registriert Telefone und verbindet ihre Anrufe. `sipwerk demo` zeigt einen ersten Anruf; `sipwerk serve` ist der Server.",

	// version
	"Say which version this is": "Sagen, welche Version das ist",
	"sipwerk %s, %s, %s\n":      "sipwerk %s, %s, %s\n",

	// serve
	"Run the server": "Den Server starten",
	"Runs the server until SIGTERM or SIGINT. It needs no configuration. On standard output it prints what it made, each address it listens on, and " +
		"`ready` when all listeners are up; the log goes to standard error.\n" +
		"A signal refuses new calls and lets running ones go on as long as --drain says; a second signal ends them at once.": "Lässt den Server bis SIGTERM oder SIGINT laufen. Er braucht keine Konfiguration. Auf der Standardausgabe steht, was er angelegt hat, jede Adresse, auf der er hört, und\n" +
		"`ready`, sobald er bereit ist; das Protokoll kommt auf die Standardfehlerausgabe.\n" +
		"Ein Signal weist neue Anrufe ab und lässt laufende so lange weitergehen, wie --drain sagt; ein zweites beendet sie sofort.",
	"made the data folder %s\n": "Datenordner %s angelegt\n",
	"made the domain %s\n":      "Domäne %s angelegt\n",
	"made a certificate authority; telephones that check certificates need %s\n": "Zertifizierungsstelle angelegt; Telefone, die Zertifikate prüfen, brauchen %s\n",
	"listening on %s\n": "hört auf %s\n",

	// demo
	"Show a first call, then wait for telephones": "Einen ersten Anruf zeigen, dann auf Telefone warten",
	"Starts a server with the accounts alice and bob, an echo number and a music number. A robot calls the echo number; the ladder of its call is shown " +
		"with the loss and the delay of its sound. Then the server waits for telephones.\n" +
		"Without --data everything lies in a temporary folder and is gone afterwards. If the usual ports are taken, others are used.": "Startet einen Server mit den Konten alice und bob, einer Echo- und einer Musiknummer. Ein Roboter ruft die Echonummer an; gezeigt werden der Ablauf seines Anrufs\n" +
		"und Verlust und Verzögerung des Tons. Dann wartet der Server auf Telefone.\n" +
		"Ohne --data liegt alles in einem vorläufigen Ordner und ist danach fort. Sind die üblichen Ports belegt, werden andere genommen.",
	"port 5060 or one of its companions is taken; this server uses %d\n":                         "Port 5060 oder einer seiner Begleiter ist belegt; dieser Server nimmt %d\n",
	"\na robot calls the echo number\n\n":                                                        "\nein Roboter ruft die Echonummer an\n\n",
	"the robot's call failed: %v; `sipwerk demo --log-level debug` shows more":                   "der Anruf des Roboters misslang: %v; `sipwerk demo --log-level debug` zeigt mehr",
	"\nthe call is over: %d packets of sound came back, %d were lost, and the echo took %d ms\n": "\nder Anruf ist vorbei: %d Tonpakete kamen zurück, %d gingen verloren, und das Echo brauchte %d ms\n",
	"\nNow connect a telephone:\n":                                                               "\nJetzt ein Telefon verbinden:\n",
	"  server    %s\n":                                                                           "  Server    %s\n",
	"  domain    %s\n":                                                                           "  Domäne    %s\n",
	"  user      %-6s  password  %s\n":                                                           "  Benutzer  %-6s  Passwort  %s\n",
	"  user      %-6s  its password was shown when it was made; `sipwerk account password %s` makes a new one\n": "  Benutzer  %-6s  sein Passwort wurde beim Anlegen gezeigt; `sipwerk account password %s` macht ein neues\n",
	"  number    %-6s  or %s: it %s\n":                                               "  Nummer    %-6s  oder %s: sie %s\n",
	"alice and bob call each other by their names. Ctrl-C ends the demonstration.\n": "alice und bob rufen einander mit ihren Namen. Strg-C beendet die Vorführung.\n",

	// numbers
	"List the feature numbers in force": "Die geltenden Dienstnummern auflisten",
	"DIAL\tOR\tIT":                      "WÄHLEN\tODER\tSIE",
	"says back what it hears":           "sagt zurück, was sie hört",
	"plays a melody":                    "spielt eine Melodie",

	// bench
	"Load a server and measure it": "Einen Server belasten und messen",
	"Makes registrations, calls, messages or OPTIONS at a fixed rate, plays the calling and the called side, checks every answer, and reports latency, failures, " +
		"retransmissions and, with --pid, what an operation costs the server. Operations are due at times fixed in advance, and latency counts from then.\n" +
		"SCENARIO is register, options, message or call. TARGET is host:port, or with a transport tcp://host:port; udp, tcp, tls, ws and wss are known.\n" +
		"The server must know the users u0, u1, … with passwords p0, p1, … or those of --accounts, or trust this machine. It is loaded only if it runs here, unless --i-own-this-target is given.\n" +
		"Exit codes: 0 clean; 1 not started; 2 the command line; 3 more failed than --allow-failed permits, or with --max no rate was clean.": "Macht Registrierungen, Anrufe, Nachrichten oder OPTIONS in festem Takt, spielt beide Seiten, prüft jede Antwort und berichtet Verzögerung, Fehlschläge,\n" +
		"Wiederholungen und mit --pid, was ein Vorgang den Server kostet. Wann ein Vorgang fällig ist, steht vorher fest, und die Verzögerung zählt von da an.\n" +
		"SCENARIO ist register, options, message oder call. TARGET ist Host:Port oder mit Transport tcp://Host:Port; bekannt sind udp, tcp, tls, ws und wss.\n" +
		"Der Server muss die Benutzer u0, u1, … mit den Passwörtern p0, p1, … oder die von --accounts kennen oder dieser Maschine vertrauen. Belastet wird er nur, wenn er hier läuft, sonst\n" +
		"mit --i-own-this-target. Exit-Codes: 0 sauber; 1 nicht begonnen; 2 die Befehlszeile; 3 mehr Fehlschläge, als --allow-failed erlaubt, oder mit --max keine saubere Rate.",
	"operations a second; with --max where the search begins": "Vorgänge je Sekunde; mit --max der Anfang der Suche",
	"how long to measure":                                                           "wie lange gemessen wird",
	"how long to load before that":                                                  "wie lange vorher belastet wird",
	"how long a call stands; end: until everything is measured":                     "wie lange ein Anruf steht; end: bis alles gemessen ist",
	"how many users there are":                                                      "wie viele Benutzer es gibt",
	"number of the first user":                                                      "Nummer des ersten Benutzers",
	"name of a user; {n} is its number":                                             "Name eines Benutzers; {n} ist seine Nummer",
	"password of a user":                                                            "Passwort eines Benutzers",
	"CSV file with the users instead, as for `account import`":                      "stattdessen CSV-Datei mit den Benutzern wie für `account import`",
	"how many of the users are registered to be called":                             "wie viele der Benutzer registriert werden, um angerufen zu werden",
	"of the users; otherwise the target":                                            "Domäne der Benutzer; sonst das Ziel",
	"sources of the load, each with its own ports and at most one processor":        "Quellen der Last, jede mit eigenen Ports und höchstens einem Prozessor",
	"connections of each worker to call from, and as many to be called on":          "Verbindungen je Quelle zum Anrufen und ebenso viele zum Angerufenwerden",
	"file with the certificates to trust, for TLS; otherwise all are":               "Datei mit den Zertifikaten, denen bei TLS vertraut wird; sonst allen",
	"process of the server, to measure its processor time and memory":               "Prozess des Servers, um Rechenzeit und Speicher zu messen",
	"search for the highest rate with less than 0.1 % failed and 1 % retransmitted": "die höchste Rate suchen, bei der weniger als 0,1 % misslingen und 1 % wiederholt werden",
	"percentage that may fail":                                                      "Prozentsatz, der misslingen darf",
	"file to write the result to as JSON; - is standard output":                     "Datei für das Ergebnis als JSON; - ist die Standardausgabe",
	"SVG file to draw latency and rate over time into":                              "SVG-Datei, in die Verzögerung und Rate über der Zeit gezeichnet werden",
	"a remark for the result":                                                       "eine Bemerkung zum Ergebnis",
	"the target is mine: load it though it is not this machine":                     "das Ziel gehört mir: belasten, obwohl es nicht diese Maschine ist",
	"%q is no scenario; write one of %s":                                            "%q ist kein Szenario; eines von %s schreiben",
	"--hold: %q is no duration; write one such as 30s, or end":                      "--hold: %q ist keine Dauer; eine wie 30s schreiben oder end",
	"--hold: only calls are held; leave it out":                                     "--hold: nur Anrufe stehen; weglassen",
	"--rate, --duration, --warmup: write numbers above 0":                           "--rate, --duration, --warmup: Zahlen über 0 schreiben",
	"%q is no transport; write one of udp, tcp, tls, ws, wss":                       "%q ist kein Transport; einen von udp, tcp, tls, ws, wss schreiben",
	"%s cannot be resolved: %s":                                                     "%s lässt sich nicht auflösen: %s",
	"%s is %s, which is not this machine; a load test harms whoever did not ask for it: give --i-own-this-target if it is yours":            "%s ist %s und damit nicht diese Maschine; ein Lasttest schadet dem, der ihn nicht bestellt hat: --i-own-this-target angeben, wenn das Ziel dir gehört",
	"no rate was clean; begin lower with --rate, or look at the failures without --max":                                                     "keine Rate war sauber; mit --rate tiefer anfangen oder ohne --max die Fehlschläge ansehen",
	"%s of the operations failed; --allow-failed permits %s":                                                                                "%s der Vorgänge misslangen; --allow-failed erlaubt %s",
	"the users to be called cannot be registered (%s); the server must know them or trust this machine: see --user, --password, --accounts": "die Benutzer, die angerufen werden sollen, lassen sich nicht registrieren (%s); der Server muss sie kennen oder dieser Maschine vertrauen: siehe --user, --password, --accounts",
	"nobody listens at %s; start the server, or name another target":                                                                        "niemand hört auf %s; den Server starten oder ein anderes Ziel nennen",
	"--pid: there is no process %d that can be measured here; name another, or leave it out":                                                "--pid: es gibt keinen Prozess %d, der sich hier messen lässt; einen anderen nennen oder weglassen",
	"--accounts: %s: %s":        "--accounts: %s: %s",
	"connecting":                "verbindet",
	"registering who is called": "registriert, wer angerufen wird",
	"calls stand: %d":           "Anrufe stehen: %d",
	"waiting for answers: %d":   "wartet auf Antworten: %d",
	"done":                      "fertig",
	"warming up":                "wärmt auf",
	"measuring":                 "misst",
	"%s %s %s of %s, %s/s, failed %d, p99 %s": "%s %s %s von %s, %s/s, misslungen %d, p99 %s",
	"clean":     "sauber",
	"not clean": "nicht sauber",
	"%s/s for %s: %s; %s/s came through, failed %d, retransmitted %d, p99 %s": "%s/s für %s: %s; %s/s kamen durch, misslungen %d, wiederholt %d, p99 %s",
	"load":                          "Last",
	"%s over %s to %s, %s/s for %s": "%s über %s an %s, %s/s für %s",
	"came through":                  "durchgekommen",
	"%s/s":                          "%s/s",
	"failed":                        "misslungen",
	"%d of %d, %s":                  "%d von %d, %s",
	"and more":                      "und mehr",
	"retransmitted":                 "wiederholt",
	"latency":                       "Verzögerung",
	"of that here":                  "davon hier",
	"answers":                       "Antworten",
	"server":                        "Server",
	"%s µs an operation, %s of a processor, %d processes":                     "%s µs je Vorgang, %s eines Prozessors, %d Prozesse",
	"memory (PSS) %s at the start, %s before the load, %s under it, %s after": "Speicher (PSS) %s am Anfang, %s vor der Last, %s unter ihr, %s nachher",
	"generator":         "Generator",
	"%s of a processor": "%s eines Prozessors",
	"interrupted":       "abgebrochen",
	"the generator is the limit: it has no processor time left; give it --workers, or another processor than the server's": "der Generator ist die Grenze: er hat keine Rechenzeit mehr; ihm --workers geben oder einen anderen Prozessor als dem Server",
	"the generator is the limit: it began operations late; give it a processor of its own":                                 "der Generator ist die Grenze: er begann Vorgänge zu spät; ihm einen eigenen Prozessor geben",
	"more operations were in flight than there is room for; the server does not answer":                                    "es waren mehr Vorgänge offen, als Platz ist; der Server antwortet nicht",
	"refused":                        "abgewiesen",
	"no final answer":                "keine endgültige Antwort",
	"no final answer before the end": "keine endgültige Antwort bis zum Ende",
	"challenged, without a password or in vain": "nach einem Passwort gefragt, ohne eines oder vergeblich",
	"too many operations in flight":             "zu viele Vorgänge offen",
	"connection lost":                           "Verbindung verloren",
	"Put results beside each other":             "Ergebnisse nebeneinanderstellen",
	"Compares the results that `bench --json` wrote: A divided by B. A file may hold several results one behind the other; of those of the same scenario, transport and rate " +
		"the median counts.": "Vergleicht Ergebnisse, die `bench --json` geschrieben hat: A geteilt durch B. Eine Datei darf mehrere Ergebnisse hintereinander halten; von denen mit gleichem Szenario, Transport\n" +
		"und gleicher Rate zählt der Median.",
	"print a table in Markdown": "eine Tabelle in Markdown ausgeben",
	"%s and %s have no scenario, transport and rate in common; measure both alike": "%s und %s haben kein Szenario mit Transport und Rate gemeinsam; beide gleich messen",
	"%s is no result of `sipwerk bench --json`: %s":                                "%s ist kein Ergebnis von `sipwerk bench --json`: %s",
	"%s over %s, %s/s (runs: %d, %d)\n":                                            "%s über %s, %s/s (Läufe: %d, %d)\n",
	"| operation | rate | A, µs | B, µs | A/B | p50, µs: A, B | p99, µs: A, B |\n": "| Vorgang | Rate | A, µs | B, µs | A/B | p50, µs: A, B | p99, µs: A, B |\n",
	"processor time, µs an operation":                                              "Rechenzeit, µs je Vorgang",
	"came through, a second":                                                       "durchgekommen je Sekunde",
	"memory under load (PSS)":                                                      "Speicher unter Last (PSS)",
	"latency, %s":                                                                  "Verzögerung, %s",

	// check
	"Check a configuration and show what is in force": "Eine Konfiguration prüfen und zeigen, was gilt",
	"Reads the configuration as `serve` would, tries its ports, folder and certificate, and shows each setting with the place where it was given.\n" +
		"Nothing is started or changed. The exit code is 1 if `serve` would not start.": "Liest die Konfiguration wie `serve`, probiert Ports, Ordner und Zertifikat und zeigt jede Einstellung mit ihrer Herkunft.\n" +
		"Nichts wird gestartet oder geändert. Der Exit-Code ist 1, wenn `serve` nicht starten würde.",
	"default":                  "Vorgabe",
	"the server would start\n": "der Server würde starten\n",

	// account
	"Add, list and remove accounts": "Konten anlegen, auflisten und entfernen",
	"An account is someone who can be called. It has devices, each with its own SIP user and secret; `account add` makes the first one.\n" +
		"The commands work while a server runs in the same data folder, and it knows of a change within a second.": "Ein Konto ist jemand, den man anrufen kann. Es hat Geräte, jedes mit eigenem SIP-Benutzer und Geheimnis; `account add` legt das erste an.\n" +
		"Die Befehle gehen auch, während ein Server im selben Datenordner läuft; er kennt die Änderung binnen einer Sekunde.",
	"Add an account, or a device to one": "Ein Konto anlegen, oder ein Gerät dazu",
	"Adds an account with its first device and shows the secret of the device, once. With --device it adds one more device to an account that exists.": "Legt ein Konto mit seinem ersten Gerät an und zeigt dessen Geheimnis einmal. Mit --device kommt ein weiteres Gerät zu einem Konto, das es gibt.",
	"display name": "Anzeigename",
	"add the device USER-DEVICE to the account USER":                               "das Gerät BENUTZER-GERÄT zum Konto BENUTZER hinzufügen",
	"read the secret from standard input instead of making one":                    "das Geheimnis von der Standardeingabe lesen statt eines zu erzeugen",
	"user    %s\ndomain  %s\n":                                                     "Benutzer   %s\nDomäne     %s\n",
	"secret  %s\nThe secret is shown this once and not kept.\n":                    "Geheimnis  %s\nDas Geheimnis wird nur dieses eine Mal gezeigt und nicht aufbewahrt.\n",
	"choose another user, or give it a new secret with `sipwerk account password`": "einen anderen Benutzer wählen, oder ihm mit `sipwerk account password` ein neues Geheimnis geben",
	"`sipwerk account list` shows what there is":                                   "`sipwerk account list` zeigt, was es gibt",
	"List accounts and their devices":                                              "Konten und ihre Geräte auflisten",
	"ACCOUNT\tNAME\tDEVICES\tNUMBERS":                                              "KONTO\tNAME\tGERÄTE\tNUMMERN",
	"Give numbers to an account, or take them away":                                "Einem Konto Nummern geben oder nehmen",
	"Whoever calls a number calls its account. A telephone system that registers as the account for all of its numbers at once (RFC 6140) is called by the number that was dialled.\n" +
		"A number is + and digits with the country code; FIRST-LAST is a block.": "Wer eine Nummer anruft, ruft ihr Konto an. Eine Telefonanlage, die sich als das Konto für alle seine Nummern zugleich anmeldet (RFC 6140), wird unter der gewählten Nummer angerufen.\n" +
		"Eine Nummer ist + und Ziffern mit der Landesvorwahl; ERSTE-LETZTE ist ein Block.",
	"Give numbers to an account":                                        "Einem Konto Nummern geben",
	"Take numbers from an account":                                      "Einem Konto Nummern nehmen",
	"%d numbers lead to %s@%s\n":                                        "%d Nummern führen zu %s@%s\n",
	"%d numbers do not lead to %s@%s any more\n":                        "%d Nummern führen nicht mehr zu %s@%s\n",
	"write the first and the last number in full, at most 10,000 apart": "schreib die erste und die letzte Nummer ganz, höchstens 10 000 auseinander",
	"Remove an account with its devices, or one device":                 "Ein Konto mit seinen Geräten entfernen, oder ein Gerät",
	"remove only the device USER-DEVICE":                                "nur das Gerät BENUTZER-GERÄT entfernen",
	"%s@%s is removed\n":                                                "%s@%s ist entfernt\n",
	"Give a device a new secret":                                        "Einem Gerät ein neues Geheimnis geben",
	"Gives a device (USER, or USER-DEVICE) a new secret and shows it, once. The old one is worthless from then on.": "Gibt einem Gerät (BENUTZER, oder BENUTZER-GERÄT) ein neues Geheimnis und zeigt es einmal. Das alte gilt von da an nicht mehr.",
	"Add the accounts of a CSV file": "Die Konten einer CSV-Datei anlegen",
	"Adds an account with one device for each line of a CSV file whose first line is user,password,name; - reads standard input.\n" +
		"Either every line is imported or none; every faulty line is named.": "Legt für jede Zeile einer CSV-Datei, deren erste user,password,name lautet, ein Konto mit einem Gerät an; - liest die Standardeingabe.\n" +
		"Entweder jede Zeile wird übernommen oder keine; jede fehlerhafte wird genannt.",
	"%d accounts imported into %s\n": "%d Konten in %s angelegt\n",
	"%d lines read\n":                "%d Zeilen gelesen\n",
	"nothing is imported: %d faulty lines in %s; mend them and import again": "nichts wurde übernommen: %d fehlerhafte Zeilen in %s; bitte richten und noch einmal",

	// settings
	"the configuration file (otherwise SIPWERK_CONFIG, then /etc/sipwerk/sipwerk.yaml if it exists)": "die Konfigurationsdatei (sonst SIPWERK_CONFIG, dann /etc/sipwerk/sipwerk.yaml, falls es sie gibt)",
	"The data folder: accounts, registrations, certificates":                                         "der Datenordner: Konten, Registrierungen, Zertifikate",
	"The first domain":                           "die erste Domäne",
	"What serves the first domain: pbx or proxy": "was die erste Domäne bedient: pbx oder proxy",
	"Whether the proxy lets accounts and trusted peers reach other domains: yes or no":                                "ob der Proxy Konten und vertraute Gegenstellen andere Domänen erreichen lässt: yes oder no",
	"Where to listen, as URLs: udp, tcp, tls, ws or wss, then address and port":                                       "worauf gehört wird, als URLs: udp, tcp, tls, ws oder wss, dann Adresse und Port",
	"The host name or address that peers see in place of the listeners' own, for a server behind address translation": "der Name oder die Adresse, die andere statt der eigenen sehen, für einen Server hinter Adressumsetzung",
	"Where /health and /metrics answer":                                                                                "wo /health und /metrics antworten",
	"Sources that are not challenged, as address prefixes: peers known by their address":                               "Absender ohne Anmeldung, als Adresspräfixe: Gegenstellen, die man an der Adresse kennt",
	"The algorithms by which devices prove their password, the preferred first: MD5, SHA-256, SHA-512-256":             "Verfahren, mit denen Geräte ihr Passwort beweisen, das bevorzugte zuerst: MD5, SHA-256, SHA-512-256",
	"How long running calls may go on after SIGTERM or SIGINT":                                                         "wie lange laufende Anrufe nach SIGTERM oder SIGINT noch dauern dürfen",
	"The UDP ports of RTP and RTCP, first and last":                                                                    "die UDP-Ports für RTP und RTCP, erster und letzter",
	"The IP address written into SDP, for a server behind address translation":                                         "die IP-Adresse im SDP, für einen Server hinter Adressumsetzung",
	"The certificate of the tls and wss listeners, a PEM file with its chain":                                          "das Zertifikat für tls und wss, eine PEM-Datei mit Kette",
	"The private key that belongs to tls.certificate, a PEM file":                                                      "der private Schlüssel zu tls.certificate, eine PEM-Datei",
	"What is written to standard error: debug, info, warn or error, and what is worse":                                 "was auf die Standardfehlerausgabe kommt: debug, info, warn oder error, und Schlimmeres",
	"How it is written: text or json":                                                                                  "wie es geschrieben wird: text oder json",
	"How long a call may stand without a sign of life of its telephones; 0 asks for none":                              "wie lange ein Anruf ohne Lebenszeichen seiner Telefone bestehen darf; 0 bittet um keins",
	"The least time that a telephone may ask for in place of calls.session-expires; a shorter one is refused with 422": "die kürzeste Zeit, um die ein Telefon statt calls.session-expires bitten darf; eine kürzere wird mit 422 abgelehnt",
	"How long a telephone rings before its caller gets 480":                                                            "wie lange ein Telefon klingelt, ehe der Anrufer 480 bekommt",
	"Whether a caller is told where a telephone redirects it (3xx), if that leads out of the house: yes or no":         "ob ein Anrufer erfährt, wohin ein Telefon ihn verweist (3xx), wenn das aus dem Haus führt: yes oder no",
	"How often at least a telephone with outbound (RFC 5626) proves that its connection lives":                         "wie oft mindestens ein Telefon mit Outbound (RFC 5626) zeigt, dass seine Verbindung besteht",
	"The servers by way of which registered telephones send their requests":                                            "die Server, über die angemeldete Telefone ihre Anfragen senden",
	"Calls at one time; one more is answered 503":                                                                      "Anrufe zur gleichen Zeit; einer mehr bekommt 503",
	"Open TCP, TLS and WebSocket connections":                                                                          "offene TCP-, TLS- und WebSocket-Verbindungen",
	"Open connections of one address":                                                                                  "offene Verbindungen einer Adresse",
	"The longest message on a connection, in bytes":                                                                    "die längste Nachricht auf einer Verbindung, in Bytes",

	// call
	"Make a call, or wait for one": "Anrufen, oder auf einen Anruf warten",
	"Calls a URI, or a number at the server, shows how it goes, and hangs up when what was to be played, dialled or measured is done, or after --duration; without any of these " +
		"when the other side hangs up, or at Ctrl-C. With --answer it registers, waits for one call and answers it.\n" +
		"Exit codes: 0 answered and ended; 1 not started (a file, the network, a registration); 2 the command line; 3 refused; 4 nobody answered in time; 5 answered, then lost.": "Ruft eine URI an, oder eine Nummer beim Server, zeigt den Verlauf und legt auf, wenn gespielt, gewählt oder gemessen ist, was es sollte, oder nach --duration; ohne all das, " +
		"wenn die andere Seite auflegt, oder bei Strg-C. Mit --answer meldet es sich an, wartet auf einen Anruf und nimmt ihn an.\n" +
		"Rückgabewerte: 0 angenommen und beendet; 1 nicht begonnen (eine Datei, das Netz, eine Anmeldung); 2 die Befehlszeile; 3 abgewiesen; 4 niemand hat rechtzeitig abgenommen; 5 angenommen, dann verloren.",
	"who calls: user@domain or a SIP URI; otherwise anonymous":                             "wer anruft: benutzer@domäne oder eine SIP-URI; sonst anonym",
	"of the user; otherwise SIPWERK_PASSWORD, which other users of the machine cannot see": "des Benutzers; sonst SIPWERK_PASSWORD, das andere Benutzer der Maschine nicht sehen",
	"where requests go: a host or a SIP URI; otherwise the domain of who is called":        "wohin Anfragen gehen: ein Rechner oder eine SIP-URI; sonst die Domäne des Angerufenen",
	"where to listen, such as udp://:5060; otherwise any port":                             "wo zu lauschen ist, etwa udp://:5060; sonst irgendein Port",
	"file with the certificates to trust, for TLS":                                         "Datei mit den Zertifikaten, denen zu trauen ist, für TLS",
	"how the sound goes: plain, opportunistic, sdes, dtls or webrtc; of calls made, for a caller decides that itself": "wie der Ton übertragen wird: plain, opportunistic, sdes, dtls oder webrtc; " +
		"bei eigenen Anrufen, denn sonst entscheidet der Anrufer",
	"--media: %q is no way for sound to go; write plain, opportunistic, sdes, dtls or webrtc": "--media: %q ist keine Art, Ton zu übertragen; bitte plain, opportunistic, sdes, dtls oder webrtc schreiben",
	"WAV file to play":                                              "WAV-Datei, die gespielt wird",
	"WAV file to record into":                                       "WAV-Datei, in die aufgenommen wird",
	"digits to send when the call is answered":                      "Ziffern, die nach der Annahme gesendet werden",
	"hang up so long after the answer":                              "so lange nach der Annahme auflegen",
	"how long to wait for the answer":                               "wie lange auf die Annahme gewartet wird",
	"wait for a call and answer it":                                 "auf einen Anruf warten und ihn annehmen",
	"speak to someone who says it back, and measure delay and loss": "zu jemandem sprechen, der es zurückgibt, und Verzögerung und Verlust messen",
	"draw who said what to whom at the end":                         "am Ende zeichnen, wer wem was gesagt hat",
	"write every message to standard error":                         "jede Nachricht auf die Fehlerausgabe schreiben",
	"ended after %s, loss %s, jitter %s\n":                          "beendet nach %s, Verlust %s, Jitter %s\n",
	"echo after %s, loss %s, dropouts %d\n":                         "Echo nach %s, Verlust %s, Aussetzer %d\n",
	"no echo came back\n":                                           "kein Echo kam zurück\n",
	"--ca: %s holds no certificate in PEM; name another file":       "--ca: %s enthält kein Zertifikat in PEM; bitte eine andere Datei nennen",
	"the connection to %s was lost during the call":                 "die Verbindung zu %s ging während des Gesprächs verloren",
	"%s cannot be reached: %s":                                      "%s ist nicht zu erreichen: %s",
	"the call to %s was given up":                                   "der Anruf bei %s wurde aufgegeben",
	"%s did not answer in time":                                     "%s hat nicht rechtzeitig abgenommen",
	"%s is busy (%s)":                                               "%s ist besetzt (%s)",
	"%s does not want to talk (%s)":                                 "%s möchte nicht sprechen (%s)",
	"%s does not exist (%s)":                                        "%s gibt es nicht (%s)",
	"%s cannot be reached now (%s)":                                 "%s ist gerade nicht zu erreichen (%s)",
	"the server does not accept user and password for %s (%s)":      "der Server nimmt Benutzer und Passwort für %s nicht an (%s)",
	"%s speaks no codec of ours (%s)":                               "%s spricht keinen unserer Codecs (%s)",
	"%s refused the call (%s)":                                      "%s hat den Anruf abgewiesen (%s)",
	"calling %s":                                                    "rufe %s",
	"ringing %d s":                                                  "es klingelt, %d s",
	"ringing":                                                       "es klingelt",
	"talking":                                                       "im Gespräch",
	"talking %s, loss %s, jitter %s":                                "im Gespräch %s, Verlust %s, Jitter %s",
	"waiting for a call at port %d":                                 "warte auf einen Anruf an Port %d",
}
