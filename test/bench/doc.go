// Package bench measures Sipwerk beside other libraries for Go. It is a module of its own, so that nobody who imports Sipwerk loads them.
//
//	cd test/bench && go test -bench .
package bench
