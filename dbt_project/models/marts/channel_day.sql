-- What customers of each channel account experienced on the day, in the customer's view.
{{ channel_mart('business_on') }}
