//go:build linux && (amd64 || arm64)

// The program that a packet meets at the interface where it comes in. It is put together here, instruction by instruction, so that nothing but Go builds the server.
// RFC 3550 §5.1.

package kernel

import (
	"math"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Fields of struct __sk_buff, from linux/bpf.h.
const (
	skbLength    = 0
	skbType      = 4 // 0: for this machine
	skbProtocol  = 16
	skbTagged    = 20 // with a VLAN tag: for another interface than this one
	skbInterface = 40
	skbSegments  = 176 // size of the segments of a packet that is several; 0: it is one
)

// Where headers lie in a packet, and how long they are.
const (
	linkSize   = 14
	headerSize = 20 + 8 + 12 // IP without options, UDP, RTP
	udpSum     = linkSize + 20 + 6
	rewritten  = 20 + 4 // IP, and the ports of UDP
)

// Offsets in the memory of the program, from the frame pointer: the headers of the packet, and the number of a slot.
const (
	header = -40
	number = -44

	headTOS, headFragment, headTTL, headProtocol = header + 1, header + 6, header + 8, header + 9
	headLength, headSum, headAddresses           = header + 2, header + 10, header + 12
	headPorts, headUDPLength                     = header + 20, header + 24
	headRTP, headType, headNumber                = header + 28, header + 29, header + 30
	headTimestamp, headSource                    = header + 32, header + 36
)

// Numbers of the wire and of the system.
const (
	protocolIPv4   = 0x0008 // 0x0800 as the packet has it
	versionIPv4    = 0x45   // and no options
	fragmented     = 0xff3f // more fragments, or an offset, as the packet has them
	protocolUDP    = 17
	versionRTP     = 2
	firstRTCP      = 192
	typesRTCP      = 32
	maxDropout     = 3000 // RFC 3550 §A.1, as media/rtp has them
	maxMisorder    = 100
	newTimeline    = 5
	second         = 1_000_000_000
	pseudoHeader   = 0x10 // flags of the functions of the system
	zeroIsNoSum    = 0x20
	forgetHash     = 2
	next           = -1 // what the program says of a packet that goes on as it is: another program may look at it, and then the system
	programName    = "sipwerk_relay"
	leave          = "leave"
	packetRegister = asm.R6 // hold their values across calls
	slotRegister   = asm.R7
	sizeRegister   = asm.R8 // of the IP packet
	timeRegister   = asm.R9
)

// newProgram loads the program. ways maps addresses and ports to numbers of slots.
func newProgram(ways, slots *ebpf.Map) (*ebpf.Program, error) {
	var code asm.Instructions
	for _, part := range [...]asm.Instructions{look(), find(ways, slots), measure(), belongs(), rewrite(), sequence(), jitter(), count(), send()} {
		code = append(code, part...)
	}
	return ebpf.NewProgram(&ebpf.ProgramSpec{Name: programName, Type: ebpf.SchedCLS, AttachType: ebpf.AttachTCXIngress, License: "Dual MIT/GPL", Instructions: code})
}

// head loads a part of the headers.
func head(dst asm.Register, at int16, size asm.Size) asm.Instruction {
	return asm.LoadMem(dst, asm.RFP, at, size)
}

// look leaves what is no RTP, or cannot be told at a glance.
func look() asm.Instructions {
	const b, h, w = asm.Byte, asm.Half, asm.Word
	return asm.Instructions{
		asm.Mov.Reg(packetRegister, asm.R1),
		asm.LoadMem(asm.R2, packetRegister, skbProtocol, w), asm.JNE.Imm(asm.R2, protocolIPv4, leave),
		asm.LoadMem(asm.R2, packetRegister, skbTagged, w), asm.JNE.Imm(asm.R2, 0, leave),
		asm.LoadMem(asm.R2, packetRegister, skbType, w), asm.JNE.Imm(asm.R2, 0, leave),
		asm.LoadMem(asm.R2, packetRegister, skbSegments, w), asm.JNE.Imm(asm.R2, 0, leave),

		asm.Mov.Reg(asm.R1, packetRegister), asm.Mov.Imm(asm.R2, linkSize),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, header), asm.Mov.Imm(asm.R4, headerSize),
		asm.FnSkbLoadBytes.Call(), asm.JNE.Imm(asm.R0, 0, leave),

		head(asm.R2, header, b), asm.JNE.Imm(asm.R2, versionIPv4, leave),
		head(asm.R2, headFragment, h), asm.And.Imm(asm.R2, fragmented), asm.JNE.Imm(asm.R2, 0, leave),
		head(asm.R2, headProtocol, b), asm.JNE.Imm(asm.R2, protocolUDP, leave),
		head(asm.R2, headTTL, b), asm.JLE.Imm(asm.R2, 1, leave), // a packet that goes round and round comes to an end
		head(asm.R2, headRTP, b), asm.RSh.Imm(asm.R2, 6), asm.JNE.Imm(asm.R2, versionRTP, leave),
		head(asm.R2, headType, b), asm.Sub.Imm(asm.R2, firstRTCP), asm.And.Imm(asm.R2, math.MaxUint8), asm.JLT.Imm(asm.R2, typesRTCP, leave),
	}
}

// find looks for the slot, and leaves what is not exactly what is meant. The number of a slot may have been given to another way meanwhile: what is in the slot decides.
func find(ways, slots *ebpf.Map) asm.Instructions {
	code := asm.Instructions{
		asm.LoadMapPtr(asm.R1, ways.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, headAddresses),
		asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, leave),
		asm.LoadMem(asm.R2, asm.R0, 0, asm.Word), asm.StoreMem(asm.RFP, number, asm.R2, asm.Word),
		asm.LoadMapPtr(asm.R1, slots.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, number),
		asm.FnMapLookupElem.Call(), asm.JEq.Imm(asm.R0, 0, leave), asm.Mov.Reg(slotRegister, asm.R0),

		field(asm.R2, slotState, asm.Word), asm.JNE.Imm(asm.R2, stateOn, leave),
		field(asm.R2, slotIn, asm.Word), asm.LoadMem(asm.R3, packetRegister, skbInterface, asm.Word), asm.JNE.Reg(asm.R2, asm.R3, leave),
		field(asm.R2, slotSource, asm.Word), head(asm.R3, headSource, asm.Word), asm.JNE.Reg(asm.R2, asm.R3, leave),
	}
	for at := int16(0); at < keySize; at += 4 {
		code = append(code, field(asm.R2, slotKey+at, asm.Word), head(asm.R3, headAddresses+at, asm.Word), asm.JNE.Reg(asm.R2, asm.R3, leave))
	}
	return code
}

// field loads a part of the slot.
func field(dst asm.Register, at int16, size asm.Size) asm.Instruction {
	return asm.LoadMem(dst, slotRegister, at, size)
}

// set stores a part of the slot.
func set(at int16, src asm.Register, size asm.Size) asm.Instruction {
	return asm.StoreMem(slotRegister, at, src, size)
}

// measure leaves a packet whose lengths do not agree, or that is too long for where it goes.
func measure() asm.Instructions {
	return asm.Instructions{
		head(sizeRegister, headLength, asm.Half), asm.HostTo(asm.BE, sizeRegister, asm.Half),
		head(asm.R2, headUDPLength, asm.Half), asm.HostTo(asm.BE, asm.R2, asm.Half),
		asm.Add.Imm(asm.R2, 20), asm.JNE.Reg(asm.R2, sizeRegister, leave),
		asm.JLT.Imm(sizeRegister, headerSize, leave),
		field(asm.R2, slotLimit, asm.Word), asm.JGT.Reg(sizeRegister, asm.R2, leave),
		asm.LoadMem(asm.R2, packetRegister, skbLength, asm.Word), asm.Sub.Imm(asm.R2, linkSize), asm.JLT.Reg(asm.R2, sizeRegister, leave),
	}
}

// step loads how far the number of the packet is from the highest one into R2, and what it is among those since the first into R3.
func step() asm.Instructions {
	return asm.Instructions{
		head(asm.R2, headNumber, asm.Half), asm.HostTo(asm.BE, asm.R2, asm.Half),
		field(asm.R3, slotHighest, asm.Word),
		asm.Sub.Reg(asm.R2, asm.R3), asm.LSh.Imm(asm.R2, 48), asm.ArSh.Imm(asm.R2, 48),
		asm.Add.Reg(asm.R3, asm.R2),
	}
}

// belongs leaves a number that does not belong to the others. RFC 3550 §A.1; rtp.Extender does the same.
func belongs() asm.Instructions {
	return append(step(), asm.JSGE.Imm(asm.R2, maxDropout, leave), asm.JSLE.Imm(asm.R2, -maxMisorder, leave), asm.JSLT.Imm(asm.R3, 0, leave))
}

// sequence takes note of the number, and of when the packet came.
func sequence() asm.Instructions {
	const older = "older"
	return append(step(),
		asm.JSLE.Imm(asm.R2, 0, older), // another processor may have had a later one since
		set(slotHighest, asm.R3, asm.Word),
		asm.FnKtimeGetNs.Call().WithSymbol(older),
		asm.Mov.Reg(timeRegister, asm.R0), set(slotLast, timeRegister, asm.DWord),
	)
}

// jitter measures it as rtp.Receiver does. RFC 3550 §A.8.
func jitter() asm.Instructions {
	const late, done = "late", "measured"
	const d, w = asm.DWord, asm.Word
	return asm.Instructions{
		head(asm.R2, headTimestamp, w), asm.HostTo(asm.BE, asm.R2, w),
		field(asm.R3, slotTimestamp, w), asm.JEq.Reg(asm.R2, asm.R3, done), set(slotTimestamp, asm.R2, w),

		// Ticks since the epoch: whole seconds and the rest apart, so that nothing overflows.
		field(asm.R3, slotEpoch, d), asm.Mov.Reg(asm.R1, timeRegister), asm.Sub.Reg(asm.R1, asm.R3),
		asm.Mov.Reg(asm.R3, asm.R1), asm.Div.Imm(asm.R3, second),
		asm.Mov.Reg(asm.R4, asm.R3), asm.Mul.Imm(asm.R4, second), asm.Sub.Reg(asm.R1, asm.R4),
		field(asm.R5, slotClock, w), asm.Mul.Reg(asm.R3, asm.R5), asm.Mul.Reg(asm.R1, asm.R5), asm.Div.Imm(asm.R1, second), asm.Add.Reg(asm.R3, asm.R1),

		asm.Sub.Reg(asm.R3, asm.R2), field(asm.R4, slotTransit, d), set(slotTransit, asm.R3, d), asm.Sub.Reg(asm.R3, asm.R4),
		asm.LSh.Imm(asm.R3, 32), asm.ArSh.Imm(asm.R3, 32), asm.JSGE.Imm(asm.R3, 0, late), asm.Neg.Imm(asm.R3, 0),

		asm.Mul.Imm(asm.R5, newTimeline).WithSymbol(late), asm.JGT.Reg(asm.R3, asm.R5, done),
		field(asm.R2, slotJitter, d), asm.Add.Reg(asm.R3, asm.R2), asm.Add.Imm(asm.R2, 8), asm.RSh.Imm(asm.R2, 4), asm.Sub.Reg(asm.R3, asm.R2), set(slotJitter, asm.R3, d),
		field(asm.R2, slotMaxJitter, d), asm.JLE.Reg(asm.R3, asm.R2, done), set(slotMaxJitter, asm.R3, d),
		asm.Mov.Imm(asm.R2, 1).WithSymbol(done),
	}
}

// count counts the packet: what is behind the headers of IP and UDP.
func count() asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, slotRegister), asm.Add.Imm(asm.R1, slotPackets), asm.StoreXAdd(asm.R1, asm.R2, asm.DWord),
		asm.Mov.Reg(asm.R1, slotRegister), asm.Add.Imm(asm.R1, slotBytes), asm.Sub.Imm(sizeRegister, 20+8), asm.StoreXAdd(asm.R1, sizeRegister, asm.DWord),
	}
}

// rewrite writes the addresses and ports of the next leg, and what a socket of ours would write: no type of service. One hop more is behind the packet. If the system has no memory for that, the
// packet is left as it is, and its socket counts it: so nothing is counted before. The first write has the headers made ready for the others, which cannot fail then.
func rewrite() asm.Instructions {
	const b, h, w = asm.Byte, asm.Half, asm.Word
	fold := asm.Instructions{asm.Mov.Reg(asm.R1, asm.R0), asm.RSh.Imm(asm.R1, 16), asm.And.Imm(asm.R0, math.MaxUint16), asm.Add.Reg(asm.R0, asm.R1)}
	code := asm.Instructions{
		asm.Mov.Imm(asm.R1, 0), asm.StoreMem(asm.RFP, headTOS, asm.R1, b), asm.StoreMem(asm.RFP, headSum, asm.R1, h),
		head(asm.R1, headTTL, b), asm.Sub.Imm(asm.R1, 1), asm.StoreMem(asm.RFP, headTTL, asm.R1, b),
	}
	for at := int16(0); at < keySize; at += 4 {
		code = append(code, field(asm.R1, slotNext+at, w), asm.StoreMem(asm.RFP, headAddresses+at, asm.R1, w))
	}
	code = append(code, asm.Mov.Imm(asm.R1, 0), asm.Mov.Imm(asm.R2, 0), asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, header), asm.Mov.Imm(asm.R4, 20), asm.Mov.Imm(asm.R5, 0), asm.FnCsumDiff.Call(),
		asm.Mov.Reg32(asm.R0, asm.R0))
	code = append(append(code, fold...), fold...)
	return append(code, asm.Xor.Imm(asm.R0, math.MaxUint16), asm.StoreMem(asm.RFP, headSum, asm.R0, h),
		asm.Mov.Reg(asm.R1, packetRegister), asm.Mov.Imm(asm.R2, udpSum), asm.Mov.Imm(asm.R3, 0), field(asm.R4, slotAddressSum, w), asm.Mov.Imm(asm.R5, pseudoHeader|zeroIsNoSum),
		asm.FnL4CsumReplace.Call(), asm.JNE.Imm(asm.R0, 0, leave),
		asm.Mov.Reg(asm.R1, packetRegister), asm.Mov.Imm(asm.R2, linkSize), asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, header), asm.Mov.Imm(asm.R4, rewritten), asm.Mov.Imm(asm.R5, forgetHash),
		asm.FnSkbStoreBytes.Call(), asm.JNE.Imm(asm.R0, 0, leave),
		asm.Mov.Reg(asm.R1, packetRegister), asm.Mov.Imm(asm.R2, udpSum), asm.Mov.Imm(asm.R3, 0), field(asm.R4, slotPortSum, w), asm.Mov.Imm(asm.R5, zeroIsNoSum),
		asm.FnL4CsumReplace.Call(),
	)
}

// send lets the packet go on to a socket of this machine, where it is, or by an interface, with the neighbour that the system's routes say.
func send() asm.Instructions {
	return asm.Instructions{
		field(asm.R1, slotOut, asm.Word), asm.JEq.Imm(asm.R1, 0, leave),
		asm.Mov.Imm(asm.R2, 0), asm.Mov.Imm(asm.R3, 0), asm.Mov.Imm(asm.R4, 0), asm.FnRedirectNeigh.Call(), asm.Return(),
		asm.Mov.Imm(asm.R0, next).WithSymbol(leave), asm.Return(),
	}
}
