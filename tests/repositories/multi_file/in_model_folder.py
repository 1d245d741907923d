NAME = "beside config.pbtxt"
