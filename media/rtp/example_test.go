package rtp_test

import (
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// Packets are numbered by a sender, lost and overtaken on the way, and put in order by a jitter buffer.
func Example() {
	sender := rtp.NewSender(rand.NewPCG(1, 2))
	var wire [][]byte
	for i := range 5 {
		p := rtp.Packet{Header: rtp.Header{PayloadType: 0, Timestamp: sender.Timestamp()}, Payload: []byte{byte(i)}}
		wire = append(wire, sender.Append(nil, p))
		sender.Advance(160)
	}
	var jitter rtp.Jitter
	for _, i := range []int{0, 2, 1, 4} {
		p, err := rtp.Parse(wire[i])
		if err != nil {
			log.Fatal(err)
		}
		jitter.Put(&p)
	}
	for range 5 {
		switch p, playout := jitter.Pop(); playout {
		case rtp.Played:
			fmt.Println("play", p.Payload)
		case rtp.Lost:
			fmt.Println("conceal")
		case rtp.Waiting:
			fmt.Println("wait")
		}
	}
	// Output:
	// play [0]
	// play [1]
	// play [2]
	// conceal
	// play [4]
}

// The digit 5 is sent for 60 ms and heard once.
func ExampleEventSender() {
	code, _ := rtp.EventCode('5')
	sender := rtp.EventSender{PayloadType: 101, Step: 160, Volume: 10}
	sender.Start(code, 1000, 480)
	var receiver rtp.EventReceiver
	for sender.Active() {
		p, _ := sender.Next()
		event, err := rtp.ParseEvent(p.Payload)
		if err != nil {
			log.Fatal(err)
		}
		digit, _ := event.Digit()
		fmt.Printf("%c for %d, end %v, new %v\n", digit, event.Duration, event.End, receiver.Receive(&p.Header, event))
	}
	// Output:
	// 5 for 160, end false, new true
	// 5 for 320, end false, new false
	// 5 for 480, end true, new false
	// 5 for 480, end true, new false
	// 5 for 480, end true, new false
}
