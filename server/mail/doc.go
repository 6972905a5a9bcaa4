// Package mail sends what a telephone system has to say by mail: that somebody has left a message, with the recording, and that a call was missed.
//
// A mail is put into a [Queue], which is a folder: once [Queue.Put] has returned it is on the disk, and it is sent however often the program or the mail server ends
// meanwhile. It goes to one mail server, that of its domain ([Settings]), over TLS unless that is switched off; there is no delivery by MX. A mail that may have been
// taken when the connection broke is sent again, with the same Message-ID, for nothing is worse than one that is lost.
//
// RFC 5321 (client), RFC 3207 (STARTTLS), RFC 8314 (TLS from the start), RFC 4954 (login), RFC 6376 (DKIM), RFC 3834 (mail made by a program).
package mail
