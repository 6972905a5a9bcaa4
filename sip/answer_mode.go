// What makes a telephone answer by itself. RFC 5373 §4.

package sip

import "iter"

// AutoAnswer yields the headers by which an INVITE asks a telephone to answer by itself: Answer-Mode (RFC 5373 §4.1), and for telephones that do not know it what they
// listen to instead: a parameter of Call-Info, and a word in Alert-Info. host stands in the two URIs; nothing is fetched from there. Whoever sends them answers for the caller: they turn
// a telephone into a microphone.
func AutoAnswer(host string) iter.Seq2[Header, string] {
	return func(yield func(Header, string) bool) {
		_ = yield(HeaderAnswerMode, "Auto") && yield(HeaderCallInfo, "<sip:"+safe(host)+">;answer-after=0") &&
			yield(HeaderAlertInfo, "<http://"+safe(host)+"/>;info=alert-autoanswer;delay=0")
	}
}
