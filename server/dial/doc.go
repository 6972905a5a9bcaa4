// Package dial joins the dial plan (service/dialplan) to the settings of a domain and to the world around a running server: it makes the plan of the objects, says what the numbers of
// the house stand for, keeps count of what accounts use outside, asks webhooks, and notes what was refused. It explains and tests plans without a server, too.
//
// It makes no calls: that is the router of package server.
package dial
