package pbx_test

import (
	"fmt"

	"github.com/sipwerk/sipwerk/service/pbx"
)

// The numbers that a listing shows.
func ExamplePBX_Table() {
	for _, n := range new(pbx.PBX).Table() {
		fmt.Println(n.Dial, n.Names[0], n.Description)
	}
	// Output:
	// *43 echo says back what it hears
	// *44 music plays a melody
	// *97 mailbox plays the messages of one's own mailbox
	// *98 mailboxes opens any mailbox by its number and PIN
	// *500 park parks a call that is transferred there; *501 to *509 are its slots
	// ** pickup and an extension: takes the call that rings there
	// *8 group-pickup takes a call that rings in your pickup group
	// *51 supervise and an extension: listens to its call, if you may; *52 whispers, *53 takes part
	// *45 agent logs you in to your queues, or out; *45 and the number of one: that one
	// *46 agent-pause gives you no calls of queues, or calls again
	// *37 call-back calls you back when the one is free whom you have just called in vain
	// *38 call-back-cancel does not call you back
	// *80 intercom and an extension: its telephone answers by itself, if you may do that
}
