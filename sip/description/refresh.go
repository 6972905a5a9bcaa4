package description

// Whole pictures, asked for by SIP: for a telephone that cannot be asked by RTCP. RFC 5168.

import (
	"bytes"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// controlType is the type of a demand, and pictureDemand one for all streams. RFC 5168 §5.
const (
	controlType   = "application/media_control+xml"
	pictureDemand = `<?xml version="1.0" encoding="utf-8" ?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>`
)

// DemandsPicture reports whether an INFO asks for a whole picture.
func DemandsPicture(req *sip.Request) bool {
	kind, _, _ := strings.Cut(req.ContentType(), ";")
	return req.Method == sip.MethodInfo && strings.EqualFold(strings.TrimSpace(kind), controlType) && bytes.Contains(req.Body(), []byte("picture_fast_update"))
}

// DemandPicture makes of an INFO a demand for whole pictures of all streams.
func DemandPicture(info *sip.Request) { info.SetBody(controlType, []byte(pictureDemand)) }
